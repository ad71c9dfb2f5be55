// Handovers inside one conversation, as its items tell them (reference/providers.md 6). Nothing is known of what follows one to a number.
import type { TransferClaim } from '../provider-fact.js';
import { toMs } from '../provider-mapping.js';
import type { ElevenLabsItem } from './payload.js';

const TO_NUMBER = /^transfer_to_number_\w+_success$/;

/** Handovers from agent to agent, to numbers, and those that failed. `startMs`: of the conversation. */
export function transfersOf(items: ElevenLabsItem[], startMs: number | null): TransferClaim[] {
  const placed = items.map((item, index) => ({ item, index, at: timeOf(item, startMs) }));
  return [...changesOf(placed.flatMap(sightingsIn)), ...placed.flatMap(toldByTools)];
}

interface Placed {
  item: ElevenLabsItem;
  index: number;
  at: number | null;
}

/** An agent that speaks, or that a tool has handed over to. */
interface Sighting {
  agentId: string;
  isHandover: boolean;
  at: number | null;
}

function sightingsIn({ item, at }: Placed): Sighting[] {
  const speaker = item.role === 'agent' ? item.agent_metadata?.agent_id : null;
  const takers = (item.tool_results ?? []).map(({ result }) =>
    result?.result_type === 'transfer_to_agent_success' ? result.to_agent : null,
  );
  return [
    ...(speaker ? [{ agentId: speaker, isHandover: false, at }] : []),
    ...takers.flatMap((taker) => (taker ? [{ agentId: taker, isHandover: true, at }] : [])),
  ];
}

/**
 * A handover by tool shows twice: in the tool's result, and by who speaks next. By that alone where a workflow made it, or
 * where the result is late. So its id is the how manieth it is: the same in a document with the result and in one without.
 */
function changesOf(sightings: Sighting[]): TransferClaim[] {
  const changes: TransferClaim[] = [];
  let holder: string | null = null;
  /** Has handed over by a tool, and may still finish its sentence before the other speaks. */
  let leaving: string | null = null;
  for (const { agentId, isHandover, at } of sightings) {
    if (agentId === leaving && !isHandover) continue;
    if (agentId === holder) {
      if (!isHandover) leaving = null;
      continue;
    }
    if (holder !== null || isHandover) {
      const target = { type: 'agent', value: agentId } as const;
      changes.push({ id: `agent.${changes.length + 1}`, target, status: 'bridged', at });
    }
    leaving = isHandover ? holder : null;
    holder = agentId;
  }
  return changes;
}

function toldByTools({ item, index, at }: Placed): TransferClaim[] {
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
