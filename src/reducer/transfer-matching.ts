// Which claims are about the same transfer. Where a provider gives transfers neither id nor time (Retell), only all reports
// together tell: so it is found out whenever the record is made, never while facts are merged. Pure.
import type { TransferClaim } from '../providers/provider-fact.js';
import { compareStamps, memberOf, membersOf, type Registers, type TransferReport } from './registers.js';

type Status = TransferClaim['status'];

/** One transfer: to whom, and when what happened. */
export interface KnownTransfer {
  target: TransferClaim['target'];
  /** Epoch milliseconds. */
  times: Partial<Record<Status, number>>;
}

interface Fit {
  /** A report is about no transfer of which one of these is known. */
  unless: Status[];
  /** Of several it is about this one: tries follow each other, and none comes after the one that went through. */
  among: 'first' | 'last';
}

const FITS: Record<Status, Fit> = {
  started: { unless: ['started'], among: 'first' },
  cancelled: { unless: ['cancelled', 'failed', 'bridged', 'ended'], among: 'first' },
  failed: { unless: ['cancelled', 'failed', 'bridged', 'ended'], among: 'first' },
  bridged: { unless: ['cancelled', 'failed', 'bridged'], among: 'last' },
  ended: { unless: ['cancelled', 'failed', 'ended'], among: 'last' },
};
/** Reports may also be about one that another document tells with an id. */
const TOLD_BY_ID: Fit = { unless: ['cancelled', 'failed'], among: 'last' };
/** In the order in which a transfer may go. */
const STATUSES: Status[] = ['started', 'cancelled', 'failed', 'bridged', 'ended'];

/** The furthest status that is known of it. */
export const latestStatusOf = ({ times }: KnownTransfer): Status =>
  STATUSES.findLast((status) => status in times) ?? 'started';

/** All transfers, each once. */
export function knownTransfers(registers: Registers): KnownTransfer[] {
  const reported: KnownTransfer[] = [];
  for (const { target, status, at } of reportsIn(registers)) {
    const transfer = { target, times: { [status]: at } };
    const known = meant(reported, target, FITS[status]);
    if (known === undefined) reported.push(transfer);
    else join(known, transfer);
  }
  const identified = identifiedIn(registers);
  for (const transfer of identified) {
    const same = meant(reported, transfer.target, TOLD_BY_ID);
    if (same !== undefined) join(transfer, ...reported.splice(reported.indexOf(same), 1));
  }
  return [...identified, ...reported];
}

/** The transfer to that target that fits; one whose target nobody has named may be it, where no other is. */
function meant(
  reported: KnownTransfer[],
  target: KnownTransfer['target'],
  { unless, among }: Fit,
): KnownTransfer | undefined {
  const fitting = reported.filter(
    (transfer) => transfer.target.type === target.type && !unless.some((status) => status in transfer.times),
  );
  const same = fitting.filter((transfer) => transfer.target.value === target.value);
  const open = fitting.filter((transfer) => transfer.target.value === null || target.value === null);
  return (same.length > 0 ? same : open).at(among === 'first' ? 0 : -1);
}

/** Earliest times count: a report without a time of its own has that of its receipt, which may be late. */
function join(transfer: KnownTransfer, ...others: KnownTransfer[]): void {
  for (const { target, times } of others) {
    if (transfer.target.value === null) transfer.target = target;
    for (const status of STATUSES) {
      const known = [transfer.times[status], times[status]].filter((at) => at !== undefined);
      if (known.length > 0) transfer.times[status] = Math.min(...known);
    }
  }
}

/** In the order in which they were received. */
const reportsIn = (registers: Registers): TransferReport[] =>
  membersOf(registers, 'transfer_report')
    .sort((a, b) => compareStamps(a.stamp, b.stamp))
    .map(({ value }) => value);

const identifiedIn = (registers: Registers): KnownTransfer[] =>
  membersOf(registers, 'transfer_target').map(({ member: id, value: target }) => {
    const times = STATUSES.flatMap((status) => {
      const at = memberOf(registers, 'transfer_time', `${status}.${id}`);
      return at === null ? [] : [[status, at] as const];
    });
    return { target, times: Object.fromEntries(times) };
  });
