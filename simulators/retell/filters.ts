// The filters of Retell's list-calls: a criterion has a field, a type, an operator and a value.
import { z } from 'zod';
import type { RetellCall } from './call.js';

const text = z.object({ type: z.literal('string'), op: z.enum(['eq', 'ne', 'sw', 'ew', 'co']), value: z.string() });
const oneOf = z.object({ type: z.literal('enum'), op: z.literal('in'), value: z.array(z.string()) });
const number = z.object({
  type: z.literal('number'),
  op: z.enum(['eq', 'ne', 'gt', 'ge', 'lt', 'le']),
  value: z.number(),
});
const range = z.object({ type: z.literal('range'), op: z.literal('bt'), value: z.tuple([z.number(), z.number()]) });
const boolean = z.object({ type: z.literal('boolean'), op: z.literal('eq'), value: z.boolean() });
const present = z.object({ type: z.literal('present'), op: z.enum(['pr', 'np']) });
const condition = z.discriminatedUnion('type', [text, oneOf, number, range, boolean, present]);
const keyed = z.array(z.intersection(z.object({ key: z.string() }), condition));
const measure = z.union([number, range]);
const status = oneOf.extend({ value: z.array(z.enum(['not_connected', 'ongoing', 'ended', 'error'])) });

const criteria = z.strictObject({
  agent: z.array(z.object({ agent_id: z.string(), version: z.array(z.number()).optional() })).optional(),
  agent_tag: oneOf.optional(),
  batch_call_id: text.optional(),
  call_id: z.union([text, oneOf]).optional(),
  call_status: status.optional(),
  call_successful: boolean.optional(),
  call_type: oneOf.optional(),
  combined_cost: measure.optional(),
  custom_analysis_data: keyed.optional(),
  custom_attributes: keyed.optional(),
  data_storage_setting: oneOf.optional(),
  direction: oneOf.optional(),
  disconnection_reason: oneOf.optional(),
  duration_ms: measure.optional(),
  dynamic_variables: keyed.optional(),
  e2e_latency_p50: measure.optional(),
  end_timestamp: measure.optional(),
  from_number: text.optional(),
  in_voicemail: boolean.optional(),
  metadata: keyed.optional(),
  start_timestamp: measure.optional(),
  to_number: text.optional(),
  user_sentiment: oneOf.optional(),
});

/** The filters of `POST /v3/list-chats`. */
export const chatCriteria = z.strictObject({
  agent: criteria.shape.agent,
  agent_tag: oneOf.optional(),
  chat_id: z.union([text, oneOf]).optional(),
  chat_status: oneOf.extend({ value: z.array(z.enum(['ongoing', 'ended', 'error'])) }).optional(),
  chat_successful: boolean.optional(),
  combined_cost: measure.optional(),
  custom_analysis_data: keyed.optional(),
  custom_attributes: keyed.optional(),
  disconnection_reason: oneOf.optional(),
  duration_ms: measure.optional(),
  end_timestamp: measure.optional(),
  start_timestamp: measure.optional(),
  user_sentiment: oneOf.optional(),
});

/** The parameters of both lists besides their filters. */
export const pageRequest = z.strictObject({
  limit: z.number().int().min(1).max(1000).default(50),
  pagination_key: z.string().optional(),
  skip: z.number().int().min(0).default(0),
  sort_order: z.enum(['ascending', 'descending']).default('descending'),
  include_total: z.boolean().default(false),
});

/** The body of `POST /v3/list-calls`. */
export const listCallsBody = pageRequest.extend({ filter_criteria: criteria.optional() });

export type FilterCriteria = z.infer<typeof criteria>;
type Condition = z.infer<typeof condition>;

/** What a filter matches against; `attributes` are the custom ones, which are not on the call. */
export interface Filterable {
  call: Readonly<RetellCall>;
  attributes: Readonly<Record<string, unknown>>;
}

const compare = {
  eq: (a: unknown, b: unknown) => a === b,
  ne: (a: unknown, b: unknown) => a !== b,
  gt: (a: number, b: number) => a > b,
  ge: (a: number, b: number) => a >= b,
  lt: (a: number, b: number) => a < b,
  le: (a: number, b: number) => a <= b,
  sw: (a: string, b: string) => a.startsWith(b),
  ew: (a: string, b: string) => a.endsWith(b),
  co: (a: string, b: string) => a.includes(b),
};

/** Whether a value meets a condition. An absent value only meets `np`. */
function meets(value: unknown, wanted: Condition): boolean {
  switch (wanted.type) {
    case 'present':
      return (value !== undefined && value !== null) === (wanted.op === 'pr');
    case 'enum':
      return typeof value === 'string' && wanted.value.includes(value);
    case 'string':
      return typeof value === 'string' && compare[wanted.op](value, wanted.value);
    case 'number':
      return typeof value === 'number' && compare[wanted.op](value, wanted.value);
    case 'range':
      return typeof value === 'number' && value >= wanted.value[0] && value <= wanted.value[1];
    case 'boolean':
      return value === wanted.value;
  }
}

/** Criteria whose value is not in the call's field of the same name. */
const ELSEWHERE: Record<string, (call: Readonly<RetellCall>) => unknown> = {
  call_successful: (call) => call.call_analysis?.call_successful,
  in_voicemail: (call) => call.call_analysis?.in_voicemail,
  user_sentiment: (call) => call.call_analysis?.user_sentiment,
  combined_cost: (call) => call.call_cost?.combined_cost,
  e2e_latency_p50: (call) => call.latency?.['e2e']?.p50,
};

const KEYED: Record<string, (item: Filterable) => unknown> = {
  metadata: ({ call }) => call.metadata,
  custom_analysis_data: ({ call }) => call.call_analysis?.custom_analysis_data,
  dynamic_variables: ({ call }) => ({ ...call.retell_llm_dynamic_variables, ...call.collected_dynamic_variables }),
  custom_attributes: ({ attributes }) => attributes,
};

function valueAt(source: unknown, key: string): unknown {
  return typeof source === 'object' && source !== null ? Reflect.get(source, key) : undefined;
}

function meetsCriterion(
  item: Filterable,
  name: string,
  wanted: NonNullable<FilterCriteria[keyof FilterCriteria]>,
): boolean {
  if (!Array.isArray(wanted)) return meets(ELSEWHERE[name] ? ELSEWHERE[name](item.call) : item.call[name], wanted);
  if (name !== 'agent') {
    return wanted.every((part) => 'key' in part && meets(valueAt(KEYED[name]?.(item), part.key), part));
  }
  const { agent_id: id, agent_version: version } = item.call;
  return wanted.some((part) => 'agent_id' in part && part.agent_id === id && (part.version?.includes(version) ?? true));
}

/** Whether a call meets all criteria; those inside `agent` are alternatives. */
export function matches(item: Filterable, wanted: FilterCriteria): boolean {
  return Object.entries(wanted).every(([name, value]) => value === undefined || meetsCriterion(item, name, value));
}
