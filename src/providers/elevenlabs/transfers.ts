// Transfers within one conversation, derived from its transcript items. What follows a transfer to a number is unknown. Pure.
import type { TransferClaim } from '../provider-fact.js';
import { toMs } from '../provider-mapping.js';
import type { ElevenLabsItem } from './payload.js';

const TO_NUMBER = /^transfer_to_number_\w+_success$/;

/** Transfers from agent to agent, to numbers, and failed ones. `startMs`: start of the conversation. */
export function transfersOf(items: ElevenLabsItem[], startMs: number | null): TransferClaim[] {
  const placed = items.map((item, index) => ({ item, index, at: timeOf(item, startMs) }));
  return [...agentChanges(placed.flatMap(sightingsIn)), ...placed.flatMap(toolTransfers)];
}

interface Placed {
  item: ElevenLabsItem;
  index: number;
  at: number | null;
}

/** An agent that speaks, or to which a tool has transferred. */
interface Sighting {
  agentId: string;
  isTransfer: boolean;
  at: number | null;
}

function sightingsIn({ item, at }: Placed): Sighting[] {
  const speaker = item.role === 'agent' ? item.agent_metadata?.agent_id : null;
  const takers = (item.tool_results ?? []).map(({ result }) =>
    result?.result_type === 'transfer_to_agent_success' ? result.to_agent : null,
  );
  return [
    ...(speaker ? [{ agentId: speaker, isTransfer: false, at }] : []),
    ...takers.flatMap((taker) => (taker ? [{ agentId: taker, isTransfer: true, at }] : [])),
  ];
}

/**
 * A transfer by a tool appears twice: in the tool's result, and by who speaks next; by the latter alone if a workflow made it or
 * the result is late. Its id is therefore its number in the conversation: the same in documents with and without the result.
 */
function agentChanges(sightings: Sighting[]): TransferClaim[] {
  const changes: TransferClaim[] = [];
  let holder: string | null = null;
  /** The agent that has transferred by a tool: it may still finish its sentence before the other one speaks. */
  let leaving: string | null = null;
  for (const { agentId, isTransfer, at } of sightings) {
    if (agentId === leaving && !isTransfer) continue;
    if (agentId === holder) {
      if (!isTransfer) leaving = null;
      continue;
    }
    if (holder !== null || isTransfer) {
      const target = { type: 'agent', value: agentId } as const;
      changes.push({ id: `agent.${changes.length + 1}`, target, status: 'bridged', at });
    }
    leaving = isTransfer ? holder : null;
    holder = agentId;
  }
  return changes;
}

function toolTransfers({ item, index, at }: Placed): TransferClaim[] {
  return (item.tool_results ?? []).flatMap(({ request_id: requestId, result }, nth): TransferClaim[] => {
    const id = requestId ?? `${index}.${nth}`;
    const type = result?.result_type ?? '';
    const phone = { type: 'phone', value: result?.transfer_number ?? null } as const;
    const agent = { type: 'agent', value: result?.to_agent ?? null } as const;
    if (type === 'transfer_to_agent_error') return [{ id, target: agent, status: 'failed', at }];
    if (type === 'transfer_to_number_error') return [{ id, target: phone, status: 'failed', at }];
    return TO_NUMBER.test(type) ? [{ id, target: phone, status: 'bridged', at }] : [];
  });
}

function timeOf(item: ElevenLabsItem, startMs: number | null): number | null {
  const offset = toMs(item.time_in_call_secs);
  return startMs === null || offset === null ? null : startMs + offset;
}
