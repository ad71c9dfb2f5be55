// Which words are about the same handover. Where a provider gives handovers neither id nor time (Retell), only all words
// together tell: so it is found out whenever the record is made, never while words are merged. Pure.
import type { TransferClaim } from '../providers/provider-fact.js';
import { compareStamps, type Registers } from './merge.js';

type Status = TransferClaim['status'];

/** One handover: to whom, and when what happened. */
export interface Handover {
  target: TransferClaim['target'];
  /** Epoch milliseconds. */
  times: Partial<Record<Status, number>>;
}

/** A claim without an id, as its register holds it. */
export interface HandoverWord extends Pick<TransferClaim, 'target' | 'status'> {
  at: number;
}

interface Fit {
  /** A word is about no handover of which one of these is known. */
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
/** Words may also be about one that another document tells with an id. */
const TOLD_BY_ID: Fit = { unless: ['cancelled', 'failed'], among: 'last' };
/** In the order in which a handover may go. */
const STATUSES: Status[] = ['started', 'cancelled', 'failed', 'bridged', 'ended'];

const PREFIX = 'transfer.';
const TARGET = '.target';
const WORD = 'transfer_word.';

/** Names of registers: of a handover with an id, and of a word on one without, which its bytes tell apart. */
export const handoverKeys = {
  target: (id: string): string => `${PREFIX}${id}${TARGET}`,
  time: (id: string, status: Status): string => `${PREFIX}${id}.${status}_at`,
  word: (status: Status, hash: string): string => `${WORD}${status}.${hash}`,
};

/** Where it stands: the furthest that is known of it. */
export const standingOf = ({ times }: Handover): Status => STATUSES.findLast((status) => status in times) ?? 'started';

/** All handovers, each once. */
export function handoversOf(registers: Registers): Handover[] {
  const told: Handover[] = [];
  for (const { target, status, at } of wordsIn(registers)) {
    const handover = { target, times: { [status]: at } };
    const known = meant(told, target, FITS[status]);
    if (known === undefined) told.push(handover);
    else join(known, handover);
  }
  const identified = identifiedIn(registers);
  for (const handover of identified) {
    const same = meant(told, handover.target, TOLD_BY_ID);
    if (same !== undefined) join(handover, ...told.splice(told.indexOf(same), 1));
  }
  return [...identified, ...told];
}

/** The handover to that target that fits; one whose target nobody has named may be it, where no other is. */
function meant(told: Handover[], target: Handover['target'], { unless, among }: Fit): Handover | undefined {
  const fitting = told.filter(
    (handover) => handover.target.type === target.type && !unless.some((status) => status in handover.times),
  );
  const same = fitting.filter((handover) => handover.target.value === target.value);
  const open = fitting.filter((handover) => handover.target.value === null || target.value === null);
  return (same.length > 0 ? same : open).at(among === 'first' ? 0 : -1);
}

/** Earliest times count: a word without a time of its own has that of its receipt, which may be late. */
function join(handover: Handover, ...others: Handover[]): void {
  for (const { target, times } of others) {
    if (handover.target.value === null) handover.target = target;
    for (const status of STATUSES) {
      const known = [handover.times[status], times[status]].filter((at) => at !== undefined);
      if (known.length > 0) handover.times[status] = Math.min(...known);
    }
  }
}

/** In the order in which they were received. */
const wordsIn = (registers: Registers): HandoverWord[] =>
  Object.entries(registers)
    .flatMap(([key, register]) => (key.startsWith(WORD) ? [register] : []))
    .sort((a, b) => compareStamps(a.stamp, b.stamp))
    .map(({ value }) => value as HandoverWord);

function identifiedIn(registers: Registers): Handover[] {
  const names = Object.keys(registers).filter((key) => key.startsWith(PREFIX) && key.endsWith(TARGET));
  return names.sort().map((name) => {
    const id = name.slice(PREFIX.length, -TARGET.length);
    const times = STATUSES.flatMap((status) => {
      const at = registers[handoverKeys.time(id, status)]?.value as number | undefined;
      return at === undefined ? [] : [[status, at] as const];
    });
    return { target: registers[name]?.value as Handover['target'], times: Object.fromEntries(times) };
  });
}
