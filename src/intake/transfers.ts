// Handovers that the provider made by itself, and who held the conversation when.
import type { TransferClaim } from '../providers/provider-fact.js';
import type { Registers } from './merge.js';
import type { Segment, TransferRecord } from './record.js';

const STATUS: Record<TransferClaim['status'], TransferRecord['status']> = {
  started: 'in_progress',
  bridged: 'bridged',
  cancelled: 'cancelled',
  ended: 'completed',
};
const SUFFIX = '.status';

/** Transfers in order of their first known time; one for each target. */
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
    target: { type: 'phone', value: key.slice('transfer.'.length) || null },
    status: STATUS[status],
    initiated_by: 'provider',
    start_time: at('started') ?? at('bridged') ?? at('cancelled') ?? at('ended'),
    end_time: at('ended') ?? at('cancelled'),
  };
}

interface Timeline {
  startTime: number;
  endTime: number | null;
  transfers: TransferRecord[];
}

/** The agent holds it until a handover goes through; from then on the target does. */
export function segmentsOf({ startTime, endTime, transfers }: Timeline): Segment[] {
  const through = transfers.find(({ status }) => status === 'bridged' || status === 'completed');
  if (through?.start_time === null || through === undefined) {
    return [{ holder: 'agent', start_time: startTime, end_time: endTime }];
  }
  const handover = Math.max(startTime, through.start_time);
  return [
    { holder: 'agent', start_time: startTime, end_time: handover },
    { holder: 'phone', start_time: handover, end_time: through.end_time ?? endTime },
  ];
}
