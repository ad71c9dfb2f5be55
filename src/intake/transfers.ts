// Handovers that the provider made by itself, and who held the conversation when.
import type { TransferClaim } from '../providers/provider-fact.js';
import type { Registers } from './merge.js';
import type { Segment, TransferRecord } from './record.js';

const STATUS: Record<TransferClaim['status'], TransferRecord['status']> = {
  started: 'in_progress',
  bridged: 'bridged',
  cancelled: 'cancelled',
  failed: 'failed',
  ended: 'completed',
};
const SUFFIX = '.status';

/** Transfers in order of their first known time. */
export function transfersOf(registers: Registers): TransferRecord[] {
  return Object.keys(registers)
    .filter((key) => key.startsWith('transfer.') && key.endsWith(SUFFIX))
    .map((key) => transferOf(key.slice(0, -SUFFIX.length), registers))
    .sort(
      (a, b) => (a.start_time ?? 0) - (b.start_time ?? 0) || (a.target.value ?? '').localeCompare(b.target.value ?? ''),
    );
}

function transferOf(key: string, registers: Registers): TransferRecord {
  const at = (name: string): number | null => (registers[`${key}.${name}_at`]?.value as number | undefined) ?? null;
  const status = registers[`${key}${SUFFIX}`]?.value as TransferClaim['status'];
  return {
    kind: null,
    target: (registers[`${key}.target`]?.value as TransferClaim['target'] | undefined) ?? {
      type: 'phone',
      value: null,
    },
    status: STATUS[status],
    initiated_by: 'provider',
    start_time: at('started') ?? at('bridged') ?? at('cancelled') ?? at('failed') ?? at('ended'),
    end_time: at('ended') ?? at('cancelled') ?? at('failed'),
  };
}

interface Timeline {
  startTime: number;
  endTime: number | null;
  transfers: TransferRecord[];
  /** The provider's id of the agent that began. */
  agentId: string | null;
}

/** The agent holds it until a handover goes through; from then on the target does, until the next. */
export function segmentsOf({ startTime, endTime, transfers, agentId }: Timeline): Segment[] {
  const segments: Segment[] = [{ holder: 'agent', agent_id: agentId, start_time: startTime, end_time: endTime }];
  for (const { target, status, start_time: at, end_time: over } of transfers) {
    const before = segments.at(-1);
    if (at === null || before === undefined || (status !== 'bridged' && status !== 'completed')) continue;
    const handover = Math.max(before.start_time, at);
    before.end_time = handover;
    const isAgent = target.type === 'agent';
    segments.push({
      holder: target.type,
      agent_id: isAgent ? target.value : null,
      start_time: handover,
      end_time: over ?? endTime,
    });
  }
  return segments;
}
