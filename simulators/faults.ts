// The faults that can be injected. Any of them may change at any time; the defaults mean a healthy provider.

/** Oddities of documents: an unknown field, an unknown value, null in place of a usual value. */
export type Oddity = 'unknown_field' | 'unknown_value' | 'null';

/**
 * Faults of the webhooks that traffic sends. Shares are between 0 and 1; seed, event and record decide which webhooks
 * are hit.
 */
export interface WebhookFaults {
  /** Sent twice, concurrently. */
  duplicated: number;
  /** Never sent. */
  missing: number;
  /** Sent `lateMs` milliseconds late, and therefore also out of order. */
  late: number;
  lateMs: number;
  /** Sent only once, whatever the response. */
  noRetry: boolean;
}

/**
 * Faults of a simulated provider. A fault of something that the provider lacks (recording links at ElevenLabs) has no
 * effect. Each request uses up one status of a list: 200 lets it through, 0 resets the connection.
 */
export interface Faults {
  /** Statuses of the next requests, by operation, in place of the real responses. */
  getStatus: number[];
  listStatus: number[];
  deleteStatus: number[];
  audioStatus: number[];
  /** Answers a share of all requests with one of these statuses, until cleared; seed and path decide which requests. */
  errors: { share: number; statuses: number[] };
  /** Sent as `Retry-After` (seconds) with 429 and 503; undefined: omitted. */
  retryAfterSeconds: number | undefined;
  /** Delay before each response, by operation, in milliseconds. */
  getDelayMs: number;
  listDelayMs: number;
  audioDelayMs: number;
  deleteDelayMs: number;
  /** How many of the next requests, of any kind, are cut off without a response; Infinity: the provider is down. */
  resetConnections: number;
  /** Records that answer 404 although they exist. */
  missing: Set<string>;
  /** Lists show the state of this long ago (milliseconds): a record appears that much later than its webhook. */
  listLagMs: number;
  /** How many records of the next lists are deleted right after the response. */
  deleteAfterList: number;
  /**
   * Milliseconds after the end at which the analysis appears automatically; undefined: only `analyze` or `finish` adds
   * it.
   */
  lateAnalysisMs: number | undefined;
  /** Milliseconds after the end until recordings are available. */
  lateAudioMs: number;
  /** Milliseconds after the end until recording links expire; undefined: as the provider documents. */
  linkLifetimeMs: number | undefined;
  /** By record: its recordings answer 403 from this time (epoch ms) on. */
  recordingExpiresAt: Map<string, number>;
  /** By record: its recordings answer 404 before this time (epoch ms), as if still being uploaded. */
  audio404Until: Map<string, number>;
  /** The next recording downloads break off after these many bytes, one entry per request. */
  audioCutAfterBytes: number[];
  /** Every document read or sent has these oddities. */
  oddities: Oddity[];
  /** Traffic rewrites this share of finished records `afterMs` after they are done, with or without a webhook. */
  rewrites: { share: number; afterMs: number; webhook: boolean };
  /** Faults of the webhooks of traffic. */
  webhooks: WebhookFaults;
}

/** A provider without faults. */
export function noFaults(): Faults {
  return {
    getStatus: [],
    listStatus: [],
    deleteStatus: [],
    audioStatus: [],
    errors: { share: 0, statuses: [429, 500, 0] },
    retryAfterSeconds: undefined,
    getDelayMs: 0,
    listDelayMs: 0,
    audioDelayMs: 0,
    deleteDelayMs: 0,
    resetConnections: 0,
    missing: new Set(),
    listLagMs: 0,
    deleteAfterList: 0,
    lateAnalysisMs: undefined,
    lateAudioMs: 0,
    linkLifetimeMs: undefined,
    recordingExpiresAt: new Map(),
    audio404Until: new Map(),
    audioCutAfterBytes: [],
    oddities: [],
    rewrites: { share: 0, afterMs: 2000, webhook: true },
    webhooks: { duplicated: 0, missing: 0, late: 0, lateMs: 5000, noRetry: false },
  };
}
