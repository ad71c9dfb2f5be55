// What can be made to go wrong. Everything may be changed at any time; an untouched object means a healthy provider.

/**
 * Faults of the simulated provider. Lists of statuses are used up one request at a time: 200 lets it
 * through, 0 resets the connection.
 */
export interface Faults {
  /** Answers of the next requests, by operation, instead of the real ones. */
  getStatus: number[];
  listStatus: number[];
  deleteStatus: number[];
  audioStatus: number[];
  /** Sent as `Retry-After` (seconds) with 429 and 503 of the lists above; undefined: left out. */
  retryAfterSeconds: number | undefined;
  /** Time before any answer to GET a call, or to recordings, in milliseconds. */
  getDelayMs: number;
  audioDelayMs: number;
  /** So many next requests of any kind are cut off without an answer; Infinity: the provider is down. */
  resetConnections: number;
  /** Calls that answer 404 although they exist. */
  missing: Set<string>;
  /** A new call appears in lists only after this time, in milliseconds. */
  listLagMs: number;
  /** `endCall` makes the analysis itself, visible after this time in milliseconds; undefined: only `analyze` does. */
  lateAnalysisMs: number | undefined;
  /** By call: from this time (epoch ms) on its recordings answer 403. */
  recordingExpiresAt: Map<string, number>;
  /** By call: before this time (epoch ms) its recordings answer 404, still being uploaded. */
  audio404Until: Map<string, number>;
  /** Recordings break off after so many bytes, for as many requests as this has entries. */
  audioCutAfterBytes: number[];
}

/** A provider without faults. */
export function noFaults(): Faults {
  return {
    getStatus: [],
    listStatus: [],
    deleteStatus: [],
    audioStatus: [],
    retryAfterSeconds: undefined,
    getDelayMs: 0,
    audioDelayMs: 0,
    resetConnections: 0,
    missing: new Set(),
    listLagMs: 0,
    lateAnalysisMs: undefined,
    recordingExpiresAt: new Map(),
    audio404Until: new Map(),
    audioCutAfterBytes: [],
  };
}
