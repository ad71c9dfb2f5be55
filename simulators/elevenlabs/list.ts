// `GET /v1/convai/conversations`: filters, newest first, cursor pagination.
import { z } from 'zod';
import type { Fields } from '../records.js';
import type { Conversation } from './conversation.js';
import type { ConversationNotes } from './conversations.js';

const STATUSES = ['initiated', 'in-progress', 'processing', 'done', 'failed'] as const;
const integer = z.coerce.number().int();

/** The query, with repeated parameters already in arrays. Unknown parameters are ignored, as at ElevenLabs. */
export const listQuery = z.object({
  cursor: z.string().optional(),
  page_size: integer.min(1).max(100).default(30),
  sort_direction: z.enum(['asc', 'desc']).default('desc'),
  agent_id: z.string().optional(),
  user_id: z.string().optional(),
  parent_conversation_id: z.string().optional(),
  call_start_after_unix: integer.optional(),
  call_start_before_unix: integer.optional(),
  call_duration_min_secs: integer.optional(),
  call_duration_max_secs: integer.optional(),
  call_successful: z.enum(['success', 'failure', 'unknown']).optional(),
  conversation_initiation_source: z.string().optional(),
  text_only: z.enum(['true', 'false']).optional(),
  summary_mode: z.enum(['include', 'exclude']).default('exclude'),
  exclude_statuses: z.array(z.enum(STATUSES)).default([]),
  visited_agent_ids: z.array(z.string()).max(50).default([]),
  main_languages: z.array(z.string()).default([]),
  tool_names: z.array(z.string()).default([]),
  termination_reasons: z.array(z.string()).default([]),
});

type ListQuery = z.infer<typeof listQuery>;
const ARRAYS = ['exclude_statuses', 'visited_agent_ids', 'main_languages', 'tool_names', 'termination_reasons'];

/** A conversation in its current, stored form, with its notes; the transcript is not needed. */
export interface Listed {
  seen: Conversation;
  notes: Readonly<ConversationNotes>;
}

/** Collects repeated parameters into arrays. */
export function queryOf(parameters: URLSearchParams): Record<string, string | string[]> {
  const names = [...new Set(parameters.keys())];
  return Object.fromEntries(
    names.map((name) => [name, ARRAYS.includes(name) ? parameters.getAll(name) : (parameters.get(name) ?? '')]),
  );
}

const startOf = ({ seen }: Listed): number => seen.metadata.start_time_unix_secs;
const successOf = ({ seen }: Listed): unknown => seen.analysis?.['call_successful'] ?? 'unknown';

function visits(seen: Conversation, wanted: readonly string[]): boolean {
  if (wanted.length === 0) return true;
  const visited = z.array(z.looseObject({ agent_id: z.string() })).safeParse(seen['visited_agents']);
  return (visited.data ?? []).some(({ agent_id: id }) => wanted.includes(id));
}

const isIn = (values: readonly unknown[], wanted: readonly unknown[]): boolean =>
  wanted.length === 0 || wanted.some((value) => values.includes(value));
const isUnset = (wanted: unknown, value: unknown): boolean => wanted === undefined || wanted === value;

/** Whether a conversation matches all filters. Both bounds of the start are inclusive. */
function matches(item: Listed, query: ListQuery): boolean {
  const { seen, notes } = item;
  const { metadata } = seen;
  const start = startOf(item);
  return (
    isUnset(query.agent_id, seen.agent_id) &&
    isUnset(query.user_id, seen['user_id']) &&
    isUnset(query.parent_conversation_id, notes.parentId) &&
    start >= (query.call_start_after_unix ?? -Infinity) &&
    start <= (query.call_start_before_unix ?? Infinity) &&
    metadata.call_duration_secs >= (query.call_duration_min_secs ?? 0) &&
    metadata.call_duration_secs <= (query.call_duration_max_secs ?? Infinity) &&
    isUnset(query.call_successful, successOf(item)) &&
    isUnset(query.conversation_initiation_source, metadata['conversation_initiation_source']) &&
    isUnset(query.text_only, String(metadata['text_only'] === true)) &&
    !query.exclude_statuses.some((status) => status === seen.status) &&
    visits(seen, query.visited_agent_ids) &&
    isIn([metadata['main_language']], query.main_languages) &&
    isIn(notes.toolNames, query.tool_names) &&
    isIn([metadata.termination_reason], query.termination_reasons)
  );
}

const RUNNING = new Set(['initiated', 'in-progress']);

/** A list item: a summary, with zeros while the conversation is live. */
function itemOf(item: Listed, query: ListQuery): Fields {
  const { seen, notes } = item;
  const { metadata } = seen;
  const isRunning = RUNNING.has(seen.status);
  const hasSummary = query.summary_mode === 'include' && !isRunning;
  const phone = z.looseObject({ direction: z.string() }).safeParse(metadata['phone_call'] ?? metadata['sms']);
  return {
    agent_id: seen.agent_id,
    agent_name: seen['agent_name'] ?? null,
    branch_id: seen['branch_id'] ?? null,
    version_id: seen['version_id'] ?? null,
    conversation_id: seen.conversation_id,
    start_time_unix_secs: metadata.start_time_unix_secs,
    call_duration_secs: isRunning ? 0 : metadata.call_duration_secs,
    message_count: isRunning ? 0 : notes.messageCount,
    status: seen.status,
    termination_reason: metadata.termination_reason ?? null,
    call_successful: successOf(item),
    call_success_score: seen.analysis?.['call_success_score'] ?? null,
    transcript_summary: hasSummary ? (seen.analysis?.['transcript_summary'] ?? null) : null,
    call_summary_title: hasSummary ? (seen.analysis?.['call_summary_title'] ?? null) : null,
    main_language: metadata['main_language'] ?? null,
    conversation_initiation_source: metadata['conversation_initiation_source'] ?? null,
    tool_names: isRunning ? [] : notes.toolNames,
    direction: phone.data?.direction ?? null,
    rating: null,
    sentiment_analysis: seen.analysis ? notes.sentiment : null,
    tag_ids: seen['tag_ids'] ?? [],
  };
}

const CURSOR = /^(-?\d+) (.+)$/s;

/** A cursor that this simulator did not issue. */
export class BadCursor extends Error {}

const encode = (item: Listed): string =>
  Buffer.from(`${startOf(item)} ${item.seen.conversation_id}`).toString('base64url');

function decode(cursor: string): { start: number; id: string } {
  const match = CURSOR.exec(Buffer.from(cursor, 'base64url').toString());
  if (match?.[1] === undefined || match[2] === undefined) throw new BadCursor('cursor is invalid');
  return { start: Number(match[1]), id: match[2] };
}

function after(item: Listed, start: number, id: string): number {
  const { conversation_id: own } = item.seen;
  return startOf(item) - start || (own < id ? -1 : own > id ? 1 : 0);
}

/**
 * One page. Conversations that arrive between two pages neither repeat nor shift the others. Throws {@link BadCursor}.
 */
export function pageOf(conversations: readonly Listed[], query: ListQuery): { body: Fields; ids: string[] } {
  const sign = query.sort_direction === 'asc' ? 1 : -1;
  const from = query.cursor === undefined ? undefined : decode(query.cursor);
  const rest = conversations.filter(
    (item) => matches(item, query) && (!from || sign * after(item, from.start, from.id) > 0),
  );
  rest.sort((a, b) => sign * after(a, startOf(b), b.seen.conversation_id));
  const page = rest.slice(0, query.page_size);
  const last = page.at(-1);
  const hasMore = rest.length > page.length && last !== undefined;
  return {
    body: {
      conversations: page.map((item) => itemOf(item, query)),
      next_cursor: hasMore ? encode(last) : null,
      has_more: hasMore,
    },
    ids: page.map(({ seen }) => seen.conversation_id),
  };
}
