// Limits on the time and size of outgoing requests and their responses.
export interface EgressLimits {
  /** Milliseconds to connect, including DNS and TLS. */
  connectMs: number;
  /** Milliseconds from then until the response begins. */
  headersMs: number;
  /** A host that sends nothing for this long is given up; detected after at most twice as long. Milliseconds. */
  silenceMs: number;
  /** Milliseconds for a whole document; less than the gateway waits for a trial request of its circuit breaker. */
  documentMs: number;
  /** Milliseconds for a whole recording. */
  recordingMs: number;
  /** Decompressed bytes. */
  documentBytes: number;
  recordingBytes: number;
  /** Approximate number of JSON values: a small document of many empty objects is large in memory. */
  documentValues: number;
  /** Nesting of JSON values: much deeper documents overflow JSON.stringify. */
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
