// Completeness of a record's parts: present, pending until a deadline, absent with a reason, or erased. Pure.
import type { Part } from '../providers/provider-fact.js';
import { haveSameSource, memberOf, membersOf, valueOf, type Registers } from './registers.js';
import type { Completeness } from './record.js';

interface Circumstances {
  hasEnded: boolean;
  neverConnected: boolean;
  /** Seconds after the first receipt of the end. */
  deadlines: Record<Part, number>;
}

export const PARTS: Part[] = ['transcript', 'audio', 'analysis'];

/** Completeness of every part. A part that arrives counts as present even if it was declared absent before, but not once erased. */
export function partsOf(registers: Registers, circumstances: Circumstances): Record<Part, Completeness> {
  const parts = PARTS.map((part) => [part, completenessOf(part, registers, circumstances)] as const);
  return Object.fromEntries(parts) as Record<Part, Completeness>;
}

function completenessOf(
  part: Part,
  registers: Registers,
  { hasEnded, neverConnected, deadlines }: Circumstances,
): Completeness {
  const erased = memberOf(registers, 'erased', part);
  if (erased !== null) return { state: 'erased', reason: erased.reason, dueAt: null };
  if (isPresent(part, registers, hasEnded))
    return { state: 'present', reason: limitationOf(part, registers), dueAt: null };
  if (!hasEnded) return { state: 'pending', reason: null, dueAt: null };
  const reason = absenceReason(part, registers, neverConnected);
  if (reason !== null) return { state: 'absent', reason, dueAt: null };
  const endSeen = valueOf(registers, 'end_seen') ?? 0;
  return { state: 'pending', reason: null, dueAt: endSeen + deadlines[part] * 1000 };
}

function isPresent(part: Part, registers: Registers, hasEnded: boolean): boolean {
  switch (part) {
    case 'transcript':
      return hasEnded && valueOf(registers, 'transcript')?.final === true;
    case 'audio':
      return membersOf(registers, 'recording').length > 0;
    case 'analysis':
      return valueOf(registers, 'analysed') ?? false;
  }
}

/** `truncated` if the transcript had more turns than are kept. */
function limitationOf(part: Part, registers: Registers): string | null {
  if (part !== 'transcript') return null;
  return valueOf(registers, 'transcript')?.truncated === true ? 'truncated' : null;
}

/** Why a part is not waited for; null: it is. */
function absenceReason(part: Part, registers: Registers, neverConnected: boolean): string | null {
  if (neverConnected) return 'never_connected';
  // A provider that stores no audio may still have offered a link that works for some minutes.
  const denied = part === 'audio' && fetchableOf(registers).length > 0 ? null : memberOf(registers, 'denied', part);
  return denied ?? memberOf(registers, 'absent', part) ?? (isLost(registers) ? 'lost' : null);
}

/** Nobody knows how it ended. If the provider reports the end later, that claim wins `ended`, and it is no longer lost. */
export const isLost = (registers: Registers): boolean => haveSameSource(registers, 'lost', 'ended');

/** The provider's own record was read after the end. */
export const hasRecord = (registers: Registers): boolean => valueOf(registers, 'confirmed') !== null;

/** The provider's own record was read after the end, or is unavailable: nobody needs to request it. */
export const isConfirmed = (registers: Registers): boolean =>
  hasRecord(registers) || valueOf(registers, 'unconfirmed') !== null || isLost(registers);

/** Variants of recordings that the provider offers and that are neither stored nor given up. */
export const fetchableOf = (registers: Registers): string[] =>
  membersOf(registers, 'source')
    .filter(({ member: variant, value: source }) => {
      const isStored = memberOf(registers, 'recording', variant) !== null;
      return !isStored && memberOf(registers, 'unavailable', variant) !== source;
    })
    .map(({ member: variant }) => variant);
