// The registers of a conversation: one for each thing that can be claimed about it, each with the stamp of the winning claim.
// This file defines their names, the types of their values, which claim wins and which class of data each belongs to; no other
// file knows how they are stored.
import type { ByClass, DataClass } from '../common/data-class.js';
import type { Claims, Fields, LiveStatus, Part, TransferClaim } from '../providers/provider-fact.js';
import type { StoredRecording } from './fact.js';

/**
 * Decides between two claims to a register, compared element by element: rank (a status never falls), phase of the document,
 * provider time, receipt time, hash of the bytes. The hash makes the order total.
 */
export type Stamp = readonly [rank: number, phase: number, providerTime: number, receivedAt: number, hash: string];

export interface Register<Value = unknown> {
  value: Value;
  stamp: Stamp;
}

/** Keyed by name, or by family and member. */
export type Registers = Record<string, Register>;

/** Which claim wins: the one with the lowest stamp (the earliest) or the highest (the latest). */
export type Keep = 'first' | 'last';

/** One claim to a register. */
export interface RegisterWrite {
  key: string;
  value: unknown;
  stamp: Stamp;
  keep: Keep;
  /**
   * Large content that is stored in its own table; the register holds `value`, a summary. A `digest` in the summary shows whether
   * the content is stored already.
   */
  blob?: unknown;
}

export interface TranscriptSummary {
  turn_count: number;
  final: boolean;
  /** Epoch milliseconds. */
  received_at: number;
  digest: string;
  /** It had more turns than are kept. */
  truncated?: true;
}

/** A claim about a transfer for which the provider gives no id. */
export interface TransferReport extends Pick<TransferClaim, 'target' | 'status'> {
  /** Epoch milliseconds. */
  at: number;
}

/** `at`: epoch milliseconds. */
export interface Erasure {
  reason: string;
  at: number;
}

/** `value` is never set: it only carries the type. */
interface Kind<Value> {
  keep: Keep;
  dataClass: DataClass;
  value?: Value;
}
const first = <Value>(dataClass: DataClass = 'record'): Kind<Value> => ({ keep: 'first', dataClass });
const last = <Value>(dataClass: DataClass = 'record'): Kind<Value> => ({ keep: 'last', dataClass });

const NAMED = {
  agent: first<NonNullable<Claims['agent']>>(),
  analysed: last<true>(),
  /** The provider's own record was read after the end. */
  confirmed: last<'record'>(),
  /** Why the provider's own record is unavailable. */
  unconfirmed: last<string>(),
  /** Epoch milliseconds of the first receipt of the end. */
  end_seen: first<number>(),
  ended: last<NonNullable<Claims['ended']>>(),
  kind: last<string>(),
  live: last<LiveStatus>(),
  /** The evidence. */
  lost: last<string>(),
  record: last<{ mapping: number }>(),
  transcript: last<TranscriptSummary>('transcript'),
};

const FAMILIES = {
  /** By part: why it is permanently missing, by our own decision. */
  absent: last<string>(),
  /** By part: why the provider has none. */
  denied: last<string>(),
  /** By part: it was erased. Outranks every claim: {@link withoutErased}. */
  erased: first<Erasure>(),
  /** Of the class that {@link FIELD_CLASSES} names. */
  field: last<Fields[keyof Fields]>(),
  /** By variant. */
  recording: first<StoredRecording>('audio'),
  /** By variant: location of the provider's copy. */
  source: last<string>('audio'),
  transfer_target: last<TransferClaim['target']>(),
  /** By status and id, epoch milliseconds. */
  transfer_time: first<number>(),
  /** By status and hash of the document, for transfers without an id. */
  transfer_report: first<TransferReport>(),
  /** By variant: the source that could not be fetched. */
  unavailable: last<string>('audio'),
};

/** Fields that do not belong to the record. */
const FIELD_CLASSES: { readonly [Field in keyof Fields]?: DataClass } = {
  title: 'analysis',
  summary: 'analysis',
  rationale: 'analysis',
  collected_variables: 'transcript',
};

/** The class of a field, also where the header has it. */
export const fieldClass = (name: string): DataClass => FIELD_CLASSES[name as keyof Fields] ?? 'record';

type Name = keyof typeof NAMED;
type Family = keyof typeof FAMILIES;
type NamedValue<Of extends Name> = NonNullable<(typeof NAMED)[Of]['value']>;
type FamilyValue<Of extends Family> = NonNullable<(typeof FAMILIES)[Of]['value']>;

const keyOf = (family: Family, member: string): string => `${family}.${member}`;

/** What a newer version may have stored could be words. */
const UNKNOWN: DataClass = 'transcript';

/** The class that a register belongs to. */
function classOf(key: string): DataClass {
  const [name = '', ...member] = key.split('.');
  if (name === 'field') return fieldClass(member.join('.'));
  const kinds: Record<string, Kind<unknown>> = member.length === 0 ? NAMED : FAMILIES;
  return kinds[name]?.dataClass ?? UNKNOWN;
}

/** The registers of each class; classes without any are absent. */
export function registersByClass(registers: Registers): ByClass<Registers> {
  const parts: ByClass<Registers> = {};
  for (const [key, register] of Object.entries(registers)) (parts[classOf(key)] ??= {})[key] = register;
  return parts;
}

/** A claim to a register of that name. */
export const writeTo = <Of extends Name>(name: Of, value: NamedValue<Of>, stamp: Stamp): RegisterWrite => ({
  key: name,
  value,
  stamp,
  keep: NAMED[name].keep,
});

/** A claim to a member of a family. */
export const writeMember = <Of extends Family>(
  family: Of,
  member: string,
  value: FamilyValue<Of>,
  stamp: Stamp,
): RegisterWrite => ({ key: keyOf(family, member), value, stamp, keep: FAMILIES[family].keep });

/** Null if there is no claim. */
export const valueOf = <Of extends Name>(registers: Registers, name: Of): NamedValue<Of> | null =>
  (registers[name]?.value as NamedValue<Of> | undefined) ?? null;

/** Null if there is no claim. */
export const memberOf = <Of extends Family>(registers: Registers, family: Of, member: string): FamilyValue<Of> | null =>
  (registers[keyOf(family, member)]?.value as FamilyValue<Of> | undefined) ?? null;

/** A field of the record, as claimed by documents. */
export const fieldOf = <Field extends keyof Fields>(registers: Registers, field: Field): Fields[Field] | null =>
  memberOf(registers, 'field', field) as Fields[Field] | null;

interface Member<Value> extends Register<Value> {
  member: string;
}

/** All claimed members of a family, sorted by name. */
export function membersOf<Of extends Family>(registers: Registers, family: Of): Member<FamilyValue<Of>>[] {
  const prefix = keyOf(family, '');
  return Object.entries(registers as Record<string, Register<FamilyValue<Of>>>)
    .flatMap(([key, register]) => (key.startsWith(prefix) ? [{ member: key.slice(prefix.length), ...register }] : []))
    .sort((a, b) => (a.member < b.member ? -1 : 1));
}

/** What {@link withoutErased} leaves. */
interface Kept {
  registers: Registers;
  blobs: Map<string, unknown>;
}

/** The parts that were erased. */
export const erasedParts = (registers: Registers): Part[] =>
  membersOf(registers, 'erased').map(({ member }) => member as Part);

/**
 * What stays of registers and of content beside them, by register, once classes were erased: nothing of those classes, whether it
 * came before or comes after. Applied to the result of every merge, so that the order of facts does not matter.
 */
export function withoutErased(registers: Registers, blobs: Map<string, unknown>): Kept {
  const erased = new Set<DataClass>(erasedParts(registers));
  if (erased.size === 0) return { registers, blobs };
  const stays = ([key]: readonly [string, unknown]): boolean => !erased.has(classOf(key));
  return {
    registers: Object.fromEntries(Object.entries(registers).filter(stays)),
    blobs: new Map([...blobs].filter(stays)),
  };
}

/** Whether two registers have their values from the same document. */
export const haveSameSource = (registers: Registers, a: Name, b: Name): boolean =>
  registers[a] !== undefined && registers[a].stamp[4] === registers[b]?.stamp[4];

/** Negative when `a` comes first. */
export function compareStamps(a: Stamp, b: Stamp): number {
  for (let index = 0; index < a.length; index += 1) {
    const [left, right] = [a[index], b[index]];
    if (left === undefined || right === undefined || left === right) continue;
    return left < right ? -1 : 1;
  }
  return 0;
}
