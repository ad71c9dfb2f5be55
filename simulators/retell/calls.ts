// The simulated workspace's calls. Transcripts are kept compressed, so that days of traffic fit in memory.
import { gunzipSync, gzipSync } from 'node:zlib';
import { z } from 'zod';
import { TRANSCRIPT_FIELDS, without, type CallFields, type RetellCall } from './call.js';

/** What the simulator knows about a call besides the call itself. Times are epoch milliseconds. */
export interface CallNotes {
  /** When it came to be; orders calls that never started, and delays their appearance in lists. */
  createdMs: number;
  /** What the call was made from, to end it in the same way after a restart. */
  seed: string;
  /** The analysis is hidden before this time. */
  analysisFromMs?: number;
  /** Set and filterable, but not part of the call object. */
  customAttributes?: Record<string, unknown>;
}

/** A call, packed. */
export interface StoredCall {
  head: RetellCall;
  transcripts: Buffer | undefined;
  notes: CallNotes;
}

const record = z.record(z.string(), z.unknown());

function pack(call: RetellCall): Pick<StoredCall, 'head' | 'transcripts'> {
  const words = Object.fromEntries(
    TRANSCRIPT_FIELDS.filter((field) => call[field] !== undefined).map((field) => [field, call[field]]),
  );
  const hasWords = Object.keys(words).length > 0;
  return {
    head: without(structuredClone(without(call, TRANSCRIPT_FIELDS)), []),
    transcripts: hasWords ? gzipSync(JSON.stringify(words)) : undefined,
  };
}

function unpack(stored: StoredCall): RetellCall {
  const words = stored.transcripts ? record.parse(JSON.parse(gunzipSync(stored.transcripts).toString())) : {};
  return { ...structuredClone(stored.head), ...words };
}

/** Told of every change; `stored` is undefined when the call was removed. */
export type CallListener = (callId: string, stored: StoredCall | undefined) => void;

/** Calls by id. What goes in and out is a copy: changing it changes nothing here. */
export class Calls {
  private readonly byId = new Map<string, StoredCall>();
  private readonly listeners: CallListener[] = [];

  /** Adds or replaces a call. */
  put(call: RetellCall, notes: CallNotes): void {
    this.restore({ ...pack(call), notes });
  }

  /** Takes a call as it was packed before. */
  restore(stored: StoredCall): void {
    this.byId.set(stored.head.call_id, stored);
    this.tell(stored.head.call_id, stored);
  }

  /** Merges fields into a call and notes; `undefined` removes a field. Throws RangeError for an unknown id. */
  update(callId: string, fields: CallFields, notes: Partial<CallNotes> = {}): RetellCall {
    const stored = this.byId.get(callId);
    if (!stored) throw new RangeError('no such call');
    const call = without({ ...unpack(stored), ...fields }, []);
    this.put(call, { ...stored.notes, ...notes });
    return call;
  }

  /** The whole call, as nobody over HTTP may see it yet. */
  get(callId: string): RetellCall | undefined {
    const stored = this.byId.get(callId);
    return stored && unpack(stored);
  }

  notes(callId: string): CallNotes | undefined {
    return this.byId.get(callId)?.notes;
  }

  remove(callId: string): boolean {
    const existed = this.byId.delete(callId);
    if (existed) this.tell(callId, undefined);
    return existed;
  }

  /** All calls without transcripts, in the order of their arrival; not copies: read only. */
  heads(): { call: Readonly<RetellCall>; notes: Readonly<CallNotes> }[] {
    return Array.from(this.byId.values(), ({ head, notes }) => ({ call: head, notes }));
  }

  get size(): number {
    return this.byId.size;
  }

  /** The packed calls, for a snapshot. */
  packed(): IterableIterator<StoredCall> {
    return this.byId.values();
  }

  onChange(listener: CallListener): void {
    this.listeners.push(listener);
  }

  private tell(callId: string, stored: StoredCall | undefined): void {
    for (const listener of this.listeners) listener(callId, stored);
  }
}
