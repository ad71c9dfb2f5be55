// The records of a simulated provider. Bulky fields are compressed, or not stored at all when a seed can generate them
// again, so that days of traffic and thousands of finished conversations fit in memory.
import { gunzipSync, gzipSync } from 'node:zlib';
import { z } from 'zod';
import type { Head, Lag } from './lag.js';
import type { Notes } from './notes.js';

/** Any fields of a document, known to the provider or not; `undefined` removes the field. */
export type Fields = Record<string, unknown>;

/** A record, packed. */
export interface Stored<T, N extends Notes = Notes> {
  head: T;
  bulk: Buffer | undefined;
  notes: N;
}

/** How one kind of document is stored. */
export interface RecordKind<T, N extends Notes> {
  idOf: (head: T) => string;
  /** The fields that make documents large. */
  bulky: readonly string[];
  /** The bulky fields of a derived record, from its head and notes. */
  derive?: (head: T, notes: N) => Fields;
}

const record = z.record(z.string(), z.unknown());

/** A copy without some of its fields and without those that are `undefined`. */
export function omit<T extends object>(document: T, fields: readonly string[]): T {
  const copy = { ...document };
  for (const [field, value] of Object.entries(copy)) {
    if (value === undefined || fields.includes(field)) Reflect.deleteProperty(copy, field);
  }
  return copy;
}

/** Called on every change; `stored` is undefined when the record was removed. */
export type RecordListener<T, N extends Notes> = (id: string, stored: Stored<T, N> | undefined) => void;

/** Records by id. Documents are copied on the way in and out. */
export class Records<T extends object, N extends Notes = Notes> {
  private readonly byId = new Map<string, Stored<T, N>>();
  private readonly listeners: RecordListener<T, N>[] = [];

  constructor(
    private readonly kind: RecordKind<T, N>,
    private readonly lag: Lag<T, N>,
  ) {}

  /** Adds or replaces a record. */
  put(document: T, notes: N): void {
    const bulky = Object.entries(document).filter(([field, value]) => this.isBulky(field) && value !== undefined);
    const head = structuredClone(omit(document, this.kind.bulky));
    const isKept = bulky.length > 0 && notes.isDerived !== true;
    const bulk = isKept ? gzipSync(JSON.stringify(Object.fromEntries(bulky)), { level: 1 }) : undefined;
    const before = this.byId.get(this.kind.idOf(head));
    if (before) this.lag.changed(this.kind.idOf(head), before, { head, notes });
    this.restore({ head, bulk, notes });
  }

  /** Adds a record in packed form. */
  restore(stored: Stored<T, N>): void {
    const id = this.kind.idOf(stored.head);
    this.byId.set(id, stored);
    for (const listener of this.listeners) listener(id, stored);
  }

  /** Merges fields into a record and its notes; `undefined` removes a field. Throws RangeError for an unknown id. */
  update(id: string, fields: Fields, notes: Partial<N> = {}): T {
    const stored = this.byId.get(id);
    if (!stored) throw new RangeError('no such record');
    const document = omit({ ...this.unpack(stored), ...fields }, []);
    this.put(document, { ...stored.notes, isDerived: undefined, ...notes });
    return document;
  }

  /** Changes only the notes. Ignores an unknown id. */
  note(id: string, notes: Partial<N>): void {
    const stored = this.byId.get(id);
    if (stored) this.restore({ ...stored, notes: { ...stored.notes, ...notes } });
  }

  /** The whole document, including what the HTTP API does not show yet. */
  get(id: string): T | undefined {
    const stored = this.byId.get(id);
    return stored && this.unpack(stored);
  }

  notes(id: string): N | undefined {
    return this.byId.get(id)?.notes;
  }

  remove(id: string): boolean {
    const existed = this.byId.delete(id);
    this.lag.forget(id);
    if (existed) for (const listener of this.listeners) listener(id, undefined);
    return existed;
  }

  /** All documents without their bulky fields, in order of arrival. Not copies: read only. */
  heads(): { head: Readonly<T>; notes: Readonly<N> }[] {
    return Array.from(this.byId.values(), ({ head, notes }) => ({ head, notes }));
  }

  /** The heads for lists, which may lag: as they were at `atMs`. */
  listed(): { atMs: number; heads: Readonly<Head<T, N>>[] } {
    const heads = Array.from(this.byId, ([id, stored]) => this.lag.seen(id, stored)).filter(
      (seen) => seen !== undefined,
    );
    return { atMs: this.lag.asOfMs, heads };
  }

  get size(): number {
    return this.byId.size;
  }

  /** The packed records, for a snapshot. */
  packed(): IterableIterator<Stored<T, N>> {
    return this.byId.values();
  }

  onChange(listener: RecordListener<T, N>): void {
    this.listeners.push(listener);
  }

  private isBulky(field: string): boolean {
    return this.kind.bulky.includes(field);
  }

  private unpack({ head, bulk, notes }: Stored<T, N>): T {
    const kept = bulk ? record.parse(JSON.parse(gunzipSync(bulk).toString())) : {};
    const made = notes.isDerived === true && this.kind.derive ? this.kind.derive(head, notes) : {};
    return { ...structuredClone(head), ...made, ...kept };
  }
}
