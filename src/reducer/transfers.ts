// Transfers that the provider made by itself, and the segments that follow from them: who held the conversation when. Pure.
import type { TransferClaim } from '../providers/provider-fact.js';
import type { Registers } from './registers.js';
import { knownTransfers, latestStatusOf, type KnownTransfer } from './transfer-matching.js';
import type { Segment, TransferRecord } from './record.js';

const STATUS: Record<TransferClaim['status'], TransferRecord['status']> = {
  started: 'in_progress',
  bridged: 'bridged',
  cancelled: 'cancelled',
  failed: 'failed',
  ended: 'completed',
};

/** Transfers in order of their first known time. `endTime` of the conversation: null while it is live. */
export function transfersOf(registers: Registers, endTime: number | null): TransferRecord[] {
  return knownTransfers(registers)
    .map((known) => transferOf(known, endTime))
    .sort(
      (a, b) => (a.start_time ?? 0) - (b.start_time ?? 0) || (a.target.value ?? '').localeCompare(b.target.value ?? ''),
    );
}

function transferOf(known: KnownTransfer, endTime: number | null): TransferRecord {
  const { target, times } = known;
  const last = latestStatusOf(known);
  const start = Math.min(...Object.values(times));
  const transfer = { kind: null, target, initiated_by: 'provider', start_time: start } as const;
  // The conversation ended before anybody answered.
  if (last === 'started' && endTime !== null)
    return { ...transfer, status: 'failed', end_time: Math.max(start, endTime) };
  const isOver = last !== 'started' && last !== 'bridged';
  return { ...transfer, status: STATUS[last], end_time: isOver ? (times[last] ?? null) : null };
}

interface Timeline {
  startTime: number;
  endTime: number | null;
  transfers: TransferRecord[];
  /** The provider's id of the agent that began the conversation. */
  agentId: string | null;
}

/** The agent holds the conversation until a transfer succeeds, then the transfer's target until the next one. */
export function segmentsOf({ startTime, endTime, transfers, agentId }: Timeline): Segment[] {
  const segments: Segment[] = [{ holder: 'agent', agent_id: agentId, start_time: startTime, end_time: endTime }];
  for (const { target, status, start_time: at, end_time: over } of transfers) {
    const before = segments.at(-1);
    if (at === null || before === undefined || (status !== 'bridged' && status !== 'completed')) continue;
    const bridgedAt = Math.max(before.start_time, at);
    before.end_time = bridgedAt;
    const isAgent = target.type === 'agent';
    segments.push({
      holder: target.type,
      agent_id: isAgent ? target.value : null,
      start_time: bridgedAt,
      end_time: over ?? endTime,
    });
  }
  return segments;
}
