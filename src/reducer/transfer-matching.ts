// Finds out which claims concern the same transfer. If a provider gives neither id nor time (Retell), that follows only from all
// reports together, so it is decided at each projection, not while facts are merged. Pure.
import type { TransferClaim } from '../providers/provider-fact.js';
import { compareStamps, memberOf, membersOf, type Registers, type TransferReport } from './registers.js';

type Status = TransferClaim['status'];

/** One transfer: its target, and the times of its statuses. */
export interface KnownTransfer {
  target: TransferClaim['target'];
  /** Epoch milliseconds. */
  times: Partial<Record<Status, number>>;
}

interface MatchRule {
  /** The report cannot concern a transfer that already has one of these statuses. */
  unless: Status[];
  /** Which of several candidates: attempts follow each other, and none follows the one that succeeded. */
  among: 'first' | 'last';
}

const RULES: Record<Status, MatchRule> = {
  started: { unless: ['started'], among: 'first' },
  cancelled: { unless: ['cancelled', 'failed', 'bridged', 'ended'], among: 'first' },
  failed: { unless: ['cancelled', 'failed', 'bridged', 'ended'], among: 'first' },
  bridged: { unless: ['cancelled', 'failed', 'bridged'], among: 'last' },
  ended: { unless: ['cancelled', 'failed', 'ended'], among: 'last' },
};
/** A report may also concern a transfer for which another document gives an id. */
const IDENTIFIED: MatchRule = { unless: ['cancelled', 'failed'], among: 'last' };
/** In the order in which a transfer passes through them. */
const STATUSES: Status[] = ['started', 'cancelled', 'failed', 'bridged', 'ended'];

/** The furthest known status. */
export const latestStatusOf = ({ times }: KnownTransfer): Status =>
  STATUSES.findLast((status) => status in times) ?? 'started';

/** All transfers, each once. */
export function knownTransfers(registers: Registers): KnownTransfer[] {
  const reported: KnownTransfer[] = [];
  for (const { target, status, at } of reportsIn(registers)) {
    const transfer = { target, times: { [status]: at } };
    const known = findMatch(reported, target, RULES[status]);
    if (known === undefined) reported.push(transfer);
    else join(known, transfer);
  }
  const identified = identifiedIn(registers);
  for (const transfer of identified) {
    const same = findMatch(reported, transfer.target, IDENTIFIED);
    if (same !== undefined) join(transfer, ...reported.splice(reported.indexOf(same), 1));
  }
  return [...identified, ...reported];
}

/** The transfer that a report with this target concerns; if none has the target, one with an unknown target may match. */
function findMatch(
  reported: KnownTransfer[],
  target: KnownTransfer['target'],
  { unless, among }: MatchRule,
): KnownTransfer | undefined {
  const candidates = reported.filter(
    (transfer) => transfer.target.type === target.type && !unless.some((status) => status in transfer.times),
  );
  const same = candidates.filter((transfer) => transfer.target.value === target.value);
  const withUnknownTarget = candidates.filter((transfer) => transfer.target.value === null || target.value === null);
  return (same.length > 0 ? same : withUnknownTarget).at(among === 'first' ? 0 : -1);
}

/** Merges transfers, keeping the earliest times: a report without its own time has that of its receipt, which may be late. */
function join(transfer: KnownTransfer, ...others: KnownTransfer[]): void {
  for (const { target, times } of others) {
    if (transfer.target.value === null) transfer.target = target;
    for (const status of STATUSES) {
      const known = [transfer.times[status], times[status]].filter((at) => at !== undefined);
      if (known.length > 0) transfer.times[status] = Math.min(...known);
    }
  }
}

/** In order of receipt. */
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
