// What is there, what is waited for until when, and what is declared absent. A missing recording is a statement, not a silence.
import type { Part } from '../providers/provider-fact.js';
import type { Registers } from './merge.js';
import type { Completeness } from './record.js';

interface Circumstances {
  hasEnded: boolean;
  neverConnected: boolean;
  /** Seconds after the first receipt of the end. */
  deadlines: Record<Part, number>;
}

const PARTS: Part[] = ['transcript', 'audio', 'analysis'];

/** Completeness of every part. Present beats absent, however late it comes. */
export function partsOf(registers: Registers, circumstances: Circumstances): Record<Part, Completeness> {
  const parts = PARTS.map((part) => [part, completenessOf(part, registers, circumstances)] as const);
  return Object.fromEntries(parts) as Record<Part, Completeness>;
}

function completenessOf(
  part: Part,
  registers: Registers,
  { hasEnded, neverConnected, deadlines }: Circumstances,
): Completeness {
  if (isPresent(part, registers, hasEnded)) return { state: 'present', reason: flawOf(part, registers), dueAt: null };
  if (!hasEnded) return { state: 'pending', reason: null, dueAt: null };
  const reason = reasonOfAbsence(part, registers, neverConnected);
  if (reason !== null) return { state: 'absent', reason, dueAt: null };
  const endSeen = registers['end_seen']?.value as number;
  return { state: 'pending', reason: null, dueAt: endSeen + deadlines[part] * 1000 };
}

function isPresent(part: Part, registers: Registers, hasEnded: boolean): boolean {
  switch (part) {
    case 'transcript':
      return hasEnded && (registers['transcript']?.value as { final?: boolean } | undefined)?.final === true;
    case 'audio':
      return Object.keys(registers).some((key) => key.startsWith('recording.'));
    case 'analysis':
      return registers['analysed'] !== undefined;
  }
}

/** A transcript that is longer than what is kept of it says so. */
function flawOf(part: Part, registers: Registers): string | null {
  if (part !== 'transcript') return null;
  return (registers['transcript']?.value as { truncated?: true } | undefined)?.truncated === true ? 'truncated' : null;
}

/** What never connected, was lost, or is denied by the provider's record is not waited for. */
function reasonOfAbsence(part: Part, registers: Registers, neverConnected: boolean): string | null {
  if (neverConnected) return 'never_connected';
  // A provider that stores nothing may have offered a link for some minutes.
  const denied = part === 'audio' && fetchableOf(registers).length > 0 ? undefined : registers[`denied.${part}`];
  const said = denied?.value ?? registers[`absent.${part}`]?.value;
  if (said !== undefined) return said as string;
  return isLost(registers) ? 'lost' : null;
}

/** Nobody knows how it ended. A provider's later word of the end takes `ended` from `lost`: then it is known again. */
export function isLost(registers: Registers): boolean {
  const lost = registers['lost'];
  return lost !== undefined && registers['ended']?.stamp[4] === lost.stamp[4];
}

/** The provider's own record was read after the end, or cannot be had: nobody needs to ask for it. */
export const isConfirmed = (registers: Registers): boolean =>
  registers['confirmed'] !== undefined || registers['unconfirmed'] !== undefined || isLost(registers);

const SOURCE = 'source.';

/** Variants of recordings that the provider offers, and that are neither stored nor given up. */
export function fetchableOf(registers: Registers): string[] {
  const isWanted = (variant: string): boolean =>
    registers[`recording.${variant}`] === undefined &&
    registers[`unavailable.${variant}`]?.value !== registers[`${SOURCE}${variant}`]?.value;
  return Object.keys(registers)
    .filter((key) => key.startsWith(SOURCE))
    .map((key) => key.slice(SOURCE.length))
    .filter(isWanted)
    .sort();
}
