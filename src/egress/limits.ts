// How long and how large an answer may be.
export interface EgressLimits {
  /** Milliseconds until a connection stands, with DNS and TLS. */
  connectMs: number;
  /** Milliseconds from there until the answer begins. */
  headersMs: number;
  /** A host that sends nothing for so many milliseconds is given up, after twice as many at the latest. */
  silenceMs: number;
  /** Milliseconds for all of it: of a document fewer than the gateway waits for a trial of its circuit. */
  documentMs: number;
  recordingMs: number;
  /** Bytes once unpacked. */
  documentBytes: number;
  recordingBytes: number;
  /** JSON values in a document, about: a small text of many empty objects is large in memory. */
  documentValues: number;
  /** Levels of a document: what is much deeper cannot be written as JSON again. */
  documentDepth: number;
  redirects: number;
}

export const MIB = 1_048_576;

export const LIMITS: EgressLimits = {
  connectMs: 10_000,
  headersMs: 20_000,
  silenceMs: 15_000,
  documentMs: 25_000,
  recordingMs: 10 * 60_000,
  documentBytes: 64 * MIB,
  recordingBytes: 1_024 * MIB,
  documentValues: 2_000_000,
  documentDepth: 1_000,
  redirects: 3,
};
