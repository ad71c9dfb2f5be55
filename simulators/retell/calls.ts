// The simulated workspace's calls.
import type { Lag } from '../lag.js';
import { Records, type RecordKind } from '../records.js';
import type { Notes } from '../notes.js';
import { TRANSCRIPT_FIELDS, type RetellCall } from './call.js';
import { completeCall } from './complete-call.js';

/** What the simulator knows about a call besides the call itself. Times are epoch milliseconds. */
export interface CallNotes extends Notes {
  /** The analysis is hidden before this time. */
  analysisFromMs?: number;
  /** No recordings before this time. */
  audioFromMs?: number;
  /** Settable and filterable, but not part of the call object. */
  customAttributes?: Record<string, unknown>;
}

export type Calls = Records<RetellCall, CallNotes>;

/** An empty store of calls. */
export function emptyCalls(lag: Lag<RetellCall, CallNotes>): Calls {
  const kind: RecordKind<RetellCall, CallNotes> = {
    idOf: (call) => call.call_id,
    bulky: TRANSCRIPT_FIELDS,
    derive: (call, notes) => {
      const whole = completeCall(notes.seed, call);
      return Object.fromEntries(TRANSCRIPT_FIELDS.map((field) => [field, whole[field]]).filter(([, value]) => value));
    },
  };
  return new Records(kind, lag);
}
