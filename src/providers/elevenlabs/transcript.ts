// ElevenLabs' transcript items → turns. Tool calls and results are attached to an item and become separate turns after its text. Pure.
import type { Turn, TurnRole } from '../provider-fact.js';
import { jsonOrText, toMs } from '../provider-mapping.js';
import { turnLatencyMs } from './latency.js';
import type { ElevenLabsItem } from './payload.js';

const ROLES = new Map<string | null | undefined, TurnRole>([
  ['user', 'customer'],
  ['agent', 'agent'],
]);

type Draft = Omit<Turn, 'index'>;

/** Turns in the provider's order: an item's text, its tool calls, their results. Times have a resolution of one second. */
export const toTurns = (items: ElevenLabsItem[]): Turn[] =>
  items.flatMap(draftsOf).map((draft, index) => ({ index, ...draft }));

function draftsOf(item: ElevenLabsItem): Draft[] {
  const tools = [...toolCalls(item), ...toolResults(item)];
  return item.message || tools.length === 0 ? [words(item), ...tools] : tools;
}

const common = (item: ElevenLabsItem): Omit<Draft, 'role'> => ({
  text: null,
  start_ms: toMs(item.time_in_call_secs),
  end_ms: null,
  agent_id: item.agent_metadata?.agent_id ?? null,
  interrupted: null,
  tool: null,
  latency_ms: null,
});

/** An item without text and tools is an event, such as a turn that timed out. */
function words(item: ElevenLabsItem): Draft {
  const text = item.message || null;
  return {
    ...common(item),
    role: text === null ? 'event' : (ROLES.get(item.role) ?? 'event'),
    text: text ?? item.platform_event ?? item.source_medium ?? null,
    interrupted: item.interrupted ?? null,
    latency_ms: turnLatencyMs(item),
  };
}

const toolCalls = (item: ElevenLabsItem): Draft[] =>
  (item.tool_calls ?? []).map((call) => ({
    ...common(item),
    role: 'tool_call',
    tool: {
      id: call.request_id ?? null,
      name: call.tool_name ?? null,
      arguments: jsonOrText(call.params_as_json),
      result: null,
      ok: null,
      latency_ms: null,
    },
  }));

const toolResults = (item: ElevenLabsItem): Draft[] =>
  (item.tool_results ?? []).map(({ result_value: value, ...result }) => ({
    ...common(item),
    role: 'tool_result',
    tool: {
      id: result.request_id ?? null,
      name: result.tool_name ?? null,
      arguments: null,
      result: typeof value === 'string' ? jsonOrText(value) : (value ?? null),
      ok: typeof result.is_error === 'boolean' ? !result.is_error : null,
      latency_ms: toMs(result.tool_latency_secs),
    },
  }));
