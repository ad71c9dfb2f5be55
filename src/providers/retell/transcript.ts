// Retell's transcript items → turns. Items have no time of their own: it is that of the first word, `time_sec`, or the end of the
// previous item. Pure.
import type { Turn, TurnRole } from '../provider-fact.js';
import { jsonOrText, toMs } from '../provider-mapping.js';
import type { RetellUtterance } from './payload.js';

/** A Map, not an object, because a role may be any text, such as `constructor`. */
const ROLES = new Map<string, TurnRole>([
  ['agent', 'agent'],
  ['user', 'customer'],
  ['transfer_target', 'human_agent'],
  ['tool_call_invocation', 'tool_call'],
  ['tool_call_result', 'tool_result'],
]);

/** Text of an item that is not speech: a pressed key, a workflow node, an SMS, injected context. */
function eventText(item: RetellUtterance): string | null {
  if (item.role === 'dtmf') return `dtmf ${item.digit ?? ''}`.trim();
  if (item.role === 'node_transition') return `${item.former_node_name ?? '?'} → ${item.new_node_name ?? '?'}`;
  return item.content ?? null;
}

function tool(item: RetellUtterance): Turn['tool'] {
  if (item.role !== 'tool_call_invocation' && item.role !== 'tool_call_result') return null;
  const isCall = item.role === 'tool_call_invocation';
  return {
    id: item.tool_call_id ?? null,
    name: item.name ?? null,
    arguments: isCall ? jsonOrText(item.arguments) : null,
    result: isCall ? null : jsonOrText(item.content),
    ok: isCall ? null : (item.successful ?? null),
    latency_ms: null,
  };
}

/** Turns in the provider's order, which is authoritative even if its word times contradict it. */
export function toTurns(items: RetellUtterance[]): Turn[] {
  let previousEnd: number | null = null;
  return items.map((item, index) => {
    const role = ROLES.get(item.role) ?? 'event';
    const start = toMs(item.words?.[0]?.start) ?? toMs(item.time_sec) ?? previousEnd;
    const end = toMs(item.words?.at(-1)?.end);
    previousEnd = end ?? start;
    const details = tool(item);
    return {
      index,
      role,
      text: details === null ? eventText(item) : null,
      start_ms: start,
      end_ms: end,
      agent_id: null,
      interrupted: null,
      tool: details,
      latency_ms: null,
    };
  });
}
