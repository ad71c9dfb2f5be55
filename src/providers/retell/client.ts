// Retell's HTTP API through the official SDK. Retries are ours (Temporal), so that attempts do not multiply.
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import Retell from 'retell-sdk';
import type { Json } from '../provider-fact.js';
import { isRetryable } from '../provider-mapping.js';
import {
  ProviderError,
  retryAfterMs,
  type ProviderAnswer,
  type ProviderCredentials,
  type RecordingStream,
} from '../provider.js';

const TIMEOUT_MS = 20_000;
const DOWNLOAD_MS = 10 * 60_000;

/** The SDK's client for an account. */
const clientFor = ({ apiKey, baseUrl }: ProviderCredentials): Retell =>
  new Retell({ apiKey, baseURL: baseUrl ?? undefined, maxRetries: 0, timeout: TIMEOUT_MS, logLevel: 'off' });

const PATHS = { call: '/v2/get-call', chat: '/get-chat' } as const;

/** GET of a call or a chat. 404 is an answer, not a failure: the provider does not know it. */
export async function fetchDocument(
  credentials: ProviderCredentials,
  { providerKind, providerId }: { providerKind: string; providerId: string },
): Promise<ProviderAnswer> {
  const path = `${PATHS[providerKind === 'chat' ? 'chat' : 'call']}/${encodeURIComponent(providerId)}`;
  const document = await asked(() => clientFor(credentials).get<Json>(path));
  return document === null ? { found: false } : { found: true, document };
}

/** POST of a question; null when the provider answers 404. */
export const post = (credentials: ProviderCredentials, path: string, body: unknown): Promise<Json | null> =>
  asked(() => clientFor(credentials).post<Json>(path, { body }));

async function asked(question: () => Promise<Json>): Promise<Json | null> {
  try {
    return await question();
  } catch (error) {
    // An answer that breaks off or does not parse is no answer.
    if (!(error instanceof Retell.APIError)) throw new ProviderError(null, true, error);
    if (error.status === 404) return null;
    // The SDK's message quotes the answer's body: it must not reach a log or a history.
    const status = error.status ?? null;
    const after = retryAfterMs(error.headers?.get('retry-after'), Date.now());
    throw new ProviderError(status, status === null || isRetryable(status), undefined, after);
  }
}

/** Recording URLs carry their own right to read; the API key is not sent to them. */
export async function openRecording(
  _: ProviderCredentials,
  url: string,
  signal: AbortSignal,
): Promise<RecordingStream> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(DOWNLOAD_MS)]);
  const response = await fetch(url, { signal: limit }).catch((error: unknown) => {
    throw new ProviderError(null, true, error);
  });
  if (!response.ok || response.body === null) {
    await response.body?.cancel();
    const after = retryAfterMs(response.headers.get('retry-after'), Date.now());
    throw new ProviderError(response.status, isRetryable(response.status), undefined, after);
  }
  return {
    body: Readable.fromWeb(response.body as ReadableStream),
    contentType: response.headers.get('content-type')?.split(';')[0]?.trim() || 'application/octet-stream',
  };
}
