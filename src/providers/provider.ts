// The interface of a provider. A new provider is one folder that exports an object of type Provider, and one line in the registry.
import type { Readable } from 'node:stream';
import type { Transport } from '../egress/egress.js';
import { refusalIn } from '../egress/refusal.js';
import type { ByClass } from '../common/data-class.js';
import type { Claims, Json } from './provider-fact.js';

export interface ProviderCredentials {
  apiKey: string;
  /** Null: none is set. Providers that sign with the API key do not need one; from others no webhook can be accepted then. */
  webhookSecret: string | null;
  /** Where the provider's API is called; null: the provider's own address. */
  baseUrl: string | null;
}

/** What a request to a provider needs. */
export interface ProviderConnection extends ProviderCredentials {
  /** All requests must use its `fetch`, including those of SDKs. */
  egress: Transport;
}

export interface SignedRequest {
  rawBody: Buffer;
  headers: Record<string, string | string[] | undefined>;
  nowMs: number;
}

/** The conversation that a webhook is about. */
export interface WebhookConversation {
  /** Such as `call` or `chat`: part of the identity, because ids of different kinds may overlap. */
  providerKind: string;
  providerId: string;
  /** Type of the event, from a fixed list; used in logs and metrics. */
  event: string;
  providerAgentId: string | null;
}

export type FetchedRecord = { found: true; document: Json } | { found: false };

export interface RecordingStream {
  body: Readable;
  contentType: string;
}

/** A request to a provider failed. `status` is the HTTP status, or null if the provider could not be reached. */
export class ProviderError extends Error {
  constructor(
    readonly status: number | null,
    /** Whether a later attempt may succeed. */
    readonly retryable: boolean,
    cause?: unknown,
    /** `Retry-After`, milliseconds; null: the provider sent none. */
    readonly retryAfterMs: number | null = null,
  ) {
    super(status === null ? 'the provider cannot be reached' : `the provider answered ${status}`, { cause });
    this.name = 'ProviderError';
  }

  /** The failure as a code, for places where no text of a provider may appear. */
  get problem(): string {
    const refusal = refusalIn(this.cause);
    if (refusal !== null) return refusal.code;
    return this.status === null ? 'provider_unreachable' : `provider_answered_${this.status}`;
  }
}

/** A request that failed, or a response that broke off. Not retryable if our own egress rules refused the request. */
export const transportError = (error: unknown): ProviderError =>
  new ProviderError(null, refusalIn(error) === null, error);

/** Longest `Retry-After` that is respected, milliseconds: a nonsense header must not block an account for years. */
const MAX_RETRY_AFTER_MS = 3_600_000;

/**
 * `Retry-After` (seconds or an HTTP date, RFC 9110 10.2.3) in milliseconds from `now`, at most an hour; null if it is absent or
 * malformed.
 */
export function retryAfterMs(header: string | null | undefined, now: number): number | null {
  if (header === null || header === undefined || header.trim() === '') return null;
  const seconds = Number(header);
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - now;
  return Number.isNaN(ms) ? null : Math.min(MAX_RETRY_AFTER_MS, Math.max(0, ms));
}

export interface ListQuery {
  /** One of the provider's kinds: each has its own list. */
  providerKind: string;
  /** Range of start times, epoch milliseconds; `from` inclusive, `to` exclusive. Null: no bound. */
  from: number | null;
  to: number | null;
  /** Only conversations that are live now. */
  live: boolean;
  /** `next` of the previous page; null for the first page. */
  cursor: string | null;
  /** Page size; absent: the provider's largest. */
  limit?: number;
}

export interface ListedConversation {
  providerKind: string;
  providerId: string;
  providerAgentId: string | null;
  /** Epoch milliseconds; null if the list does not contain it. */
  startTime: number | null;
  isOver: boolean;
}

export interface ListPage {
  items: ListedConversation[];
  /** Null on the last page. */
  next: string | null;
}

/** The HTTP API of a provider. Called only by `src/providers/gateway/`. */
export interface ProviderApi {
  /** Fetches the provider's record of a conversation. Throws {@link ProviderError}. */
  fetchRecord(
    connection: ProviderConnection,
    conversation: { providerKind: string; providerId: string },
  ): Promise<FetchedRecord>;
  /** One page of the provider's list. Throws {@link ProviderError}. */
  list(connection: ProviderConnection, query: ListQuery): Promise<ListPage>;
  /**
   * Opens a recording, to be read until `signal` is aborted. `source` comes from the claims of a document. Throws
   * {@link ProviderError}; 403 and 404 are not retryable.
   */
  openRecording(connection: ProviderConnection, source: string, signal: AbortSignal): Promise<RecordingStream>;
}

/**
 * Paths of a document's members, by the class they belong to: names joined by dots. A path covers everything below it, unless
 * a longer one says otherwise. What no path covers belongs to `transcript`.
 */
export type DocumentClasses = Readonly<ByClass<readonly string[]>>;

/** How a provider's documents and signatures are interpreted; sends no requests. */
export interface ProviderContent {
  readonly name: string;
  /** Its kinds of conversation, such as `call` and `chat`: part of an identity, because their ids may overlap. */
  readonly kinds: readonly string[];
  /** Events whose payload contains a recording. */
  readonly audioEvents?: readonly string[];
  /** How its documents are split, so that one class can be erased by itself. */
  readonly documentClasses: DocumentClasses;
  /** Whether the signature header is well-formed and fresh; checked before the body is read. */
  isSigned(request: Omit<SignedRequest, 'rawBody'>): boolean;
  /** Whether the signature matches the raw bytes and is fresh. Never skipped. */
  verify(request: SignedRequest, credentials: ProviderCredentials): boolean;
  /** The conversation that a webhook is about; null for unknown event types and bodies without an id. */
  conversationOf(body: Json): WebhookConversation | null;
  /** What a webhook claims. Pure. */
  interpretWebhook(body: Json): Claims;
  /** What the provider's own record (its GET) claims. Pure. */
  interpretRecord(document: Json): Claims;
}

export interface Provider extends ProviderContent, ProviderApi {}
