// What can be made to go wrong. Everything may be changed at any time; an untouched object means a healthy provider.

/** What is odd about documents: a field that nobody knows, a value that nobody knows, null where a value is usual. */
export type Oddity = 'unknown_field' | 'unknown_value' | 'null';

/** Faults of the webhooks that traffic sends. Shares are between 0 and 1; the seed, the event and the record decide which. */
export interface WebhookFaults {
  /** Sent twice at once. */
  duplicated: number;
  /** Never sent. */
  missing: number;
  /** Sent `lateMs` milliseconds after its time; shares that are late arrive out of order, too. */
  late: number;
  lateMs: number;
  /** Sent once only, whatever the answer. */
  noRetry: boolean;
}

/**
 * Faults of a simulated provider; what a provider does not have (links of recordings at ElevenLabs) has no effect
 * there. Lists of statuses are used up one request at a time: 200 lets it through, 0 resets the connection.
 */
export interface Faults {
  /** Answers of the next requests, by operation, instead of the real ones. */
  getStatus: number[];
  listStatus: number[];
  deleteStatus: number[];
  audioStatus: number[];
  /** A share of all requests answered, again and again, with one of these statuses; the seed and the path decide which. */
  errors: { share: number; statuses: number[] };
  /** Sent as `Retry-After` (seconds) with 429 and 503; undefined: left out. */
  retryAfterSeconds: number | undefined;
  /** Time before any answer, by operation, in milliseconds. */
  getDelayMs: number;
  listDelayMs: number;
  audioDelayMs: number;
  deleteDelayMs: number;
  /** So many next requests of any kind are cut off without an answer; Infinity: the provider is down. */
  resetConnections: number;
  /** Records that answer 404 although they exist. */
  missing: Set<string>;
  /** Lists show everything as it was so long ago, in milliseconds: what a webhook has told of appears that much later. */
  listLagMs: number;
  /** So many records named by the next lists are deleted right after the answer. */
  deleteAfterList: number;
  /** The end makes the analysis itself, visible after this time in milliseconds; undefined: only `analyze` or `finish` does. */
  lateAnalysisMs: number | undefined;
  /** Recordings are there only so long after the end, in milliseconds. */
  lateAudioMs: number;
  /** Links of recordings die so long after the end, in milliseconds; undefined: as the provider says. */
  linkLifetimeMs: number | undefined;
  /** By record: from this time (epoch ms) on its recordings answer 403. */
  recordingExpiresAt: Map<string, number>;
  /** By record: before this time (epoch ms) its recordings answer 404, still being uploaded. */
  audio404Until: Map<string, number>;
  /** Recordings break off after so many bytes, for as many requests as this has entries. */
  audioCutAfterBytes: number[];
  /** Every document read or sent is odd in these ways. */
  oddities: Oddity[];
  /** Traffic rewrites this share of finished records so long after they are done, and tells of it or not. */
  rewrites: { share: number; afterMs: number; webhook: boolean };
  /** What happens to the webhooks of traffic. */
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
