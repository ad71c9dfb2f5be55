// The contract of a provider. A new provider is one folder that exports an object of this type, and one line in the registry.
import type { Readable } from 'node:stream';
import type { Transport } from '../egress/egress.js';
import { refusalIn } from '../egress/refusal.js';
import type { Claims, Json } from './provider-fact.js';

export interface ProviderCredentials {
  apiKey: string;
  /** Null: none was given. Some providers sign with the API key; of others no webhook can then be accepted. */
  webhookSecret: string | null;
  /** Where the provider's API is called; null: the provider's own address. */
  baseUrl: string | null;
}

/** What a provider is asked with. */
export interface ProviderConnection extends ProviderCredentials {
  /** The only way out: clients and SDKs use its `fetch`. */
  egress: Transport;
}

export interface SignedRequest {
  rawBody: Buffer;
  headers: Record<string, string | string[] | undefined>;
  nowMs: number;
}

/** Which conversation a webhook speaks of. */
export interface WebhookSubject {
  /** Call or chat: part of the identity, since their ids may overlap. */
  providerKind: string;
  providerId: string;
  /** The event's type, an enumeration of ours to log and count by. */
  event: string;
  providerAgentId: string | null;
}

export type ProviderAnswer = { found: true; document: Json } | { found: false };

export interface RecordingStream {
  body: Readable;
  contentType: string;
}

/** A provider's API said no, or not now. `status` is its HTTP status, or null when it could not be reached. */
export class ProviderError extends Error {
  constructor(
    readonly status: number | null,
    /** True when asking again later can help. */
    readonly retryable: boolean,
    cause?: unknown,
    /** Milliseconds that the provider asked us to stay away (`Retry-After`); null: it did not say. */
    readonly retryAfterMs: number | null = null,
  ) {
    super(status === null ? 'the provider cannot be reached' : `the provider answered ${status}`, { cause });
    this.name = 'ProviderError';
  }

  /** As a code: what is shown where no words of a provider may be. */
  get problem(): string {
    const refusal = refusalIn(this.cause);
    if (refusal !== null) return refusal.code;
    return this.status === null ? 'provider_unreachable' : `provider_answered_${this.status}`;
  }
}

/** A request that failed or an answer that broke off. What our own rules refuse is refused the next time, too. */
export const brokenOff = (error: unknown): ProviderError => new ProviderError(null, refusalIn(error) === null, error);

/** The longest that a provider is believed, milliseconds: a nonsense header must not silence an account for years. */
const LONGEST_AWAY_MS = 3_600_000;

/**
 * `Retry-After` in milliseconds from `now`, at most an hour: seconds or an HTTP date (RFC 9110 10.2.3); null when it is
 * absent or neither.
 */
export function retryAfterMs(header: string | null | undefined, now: number): number | null {
  if (header === null || header === undefined || header.trim() === '') return null;
  const seconds = Number(header);
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - now;
  return Number.isNaN(ms) ? null : Math.min(LONGEST_AWAY_MS, Math.max(0, ms));
}

export interface ListQuery {
  /** One of the provider's kinds: each has a list of its own. */
  providerKind: string;
  /** By start, epoch milliseconds; `from` inclusive, `to` exclusive. Null: no bound. */
  from: number | null;
  to: number | null;
  /** Only what is live now. */
  live: boolean;
  /** `next` of the page before; null for the first. */
  cursor: string | null;
  /** At most so many on the page; absent: as many as the provider gives. */
  limit?: number;
}

export interface ListedConversation {
  providerKind: string;
  providerId: string;
  providerAgentId: string | null;
  /** Epoch milliseconds; null where the provider's list does not tell. */
  startTime: number | null;
  isOver: boolean;
}

export interface ListPage {
  items: ListedConversation[];
  /** Null on the last page. */
  next: string | null;
}

/** What is asked of a provider over HTTP: by `src/providers/gateway/` alone. */
export interface ProviderApi {
  /** Asks the provider for its record. Throws {@link ProviderError}. */
  fetchRecord(
    connection: ProviderConnection,
    subject: { providerKind: string; providerId: string },
  ): Promise<ProviderAnswer>;
  /** One page of the provider's list. Throws {@link ProviderError}. */
  list(connection: ProviderConnection, query: ListQuery): Promise<ListPage>;
  /**
   * Opens a recording for reading until `signal` is aborted. `source` is what a payload claimed. Throws
   * {@link ProviderError}; 403 and 404 are not retryable.
   */
  openRecording(connection: ProviderConnection, source: string, signal: AbortSignal): Promise<RecordingStream>;
}

/** What a provider's documents and signatures mean: nothing is asked over HTTP. */
export interface ProviderContent {
  readonly name: string;
  /** Its kinds of conversation (`call`, `chat`): part of an identity, since their ids may overlap. */
  readonly kinds: readonly string[];
  /** Its events whose payload holds a recording. */
  readonly audioEvents?: readonly string[];
  /** True when the header of the signature has its form and a time that is fresh: asked before a body is read. */
  isSigned(request: Omit<SignedRequest, 'rawBody'>): boolean;
  /** True when the signature fits the raw bytes and is fresh. There is no way around it. */
  verify(request: SignedRequest, credentials: ProviderCredentials): boolean;
  /** The conversation that a webhook speaks of; null for event types that we do not know and bodies without an id. */
  subject(body: Json): WebhookSubject | null;
  /** What a webhook claims. Pure. */
  interpretWebhook(body: Json): Claims;
  /** What the provider's own record (its GET) claims. Pure. */
  interpretRecord(document: Json): Claims;
}

export interface Provider extends ProviderContent, ProviderApi {}
