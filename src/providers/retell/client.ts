// Retell's HTTP API through the official SDK. The SDK does not retry; Temporal and the gateway do, so that attempts do not multiply.
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import Retell from 'retell-sdk';
import type { Json } from '../provider-fact.js';
import { isRetryable } from '../provider-mapping.js';
import {
  transportError,
  ProviderError,
  retryAfterMs,
  type FetchedRecord,
  type ProviderConnection,
  type RecordingStream,
} from '../provider.js';

/** The SDK's client for an account. */
function clientFor({ apiKey, baseUrl, egress }: ProviderConnection): Retell {
  const fetch = egress.documents as typeof globalThis.fetch;
  return new Retell({ apiKey, baseURL: baseUrl ?? undefined, fetch, maxRetries: 0, logLevel: 'off' });
}

const PATHS = { call: '/v2/get-call', chat: '/get-chat' } as const;

/** Fetches a call or a chat. A 404 is a result, not a failure: the provider does not know it. */
export async function fetchDocument(
  connection: ProviderConnection,
  { providerKind, providerId }: { providerKind: string; providerId: string },
): Promise<FetchedRecord> {
  const path = `${PATHS[providerKind === 'chat' ? 'chat' : 'call']}/${encodeURIComponent(providerId)}`;
  const document = await asked(() => clientFor(connection).get<Json>(path));
  return document === null ? { found: false } : { found: true, document };
}

/** POST request; null if the provider answers 404. Throws ProviderError. */
export const post = (connection: ProviderConnection, path: string, body: unknown): Promise<Json | null> =>
  asked(() => clientFor(connection).post<Json>(path, { body }));

async function asked(question: () => Promise<Json>): Promise<Json | null> {
  try {
    return await question();
  } catch (error) {
    // A response that breaks off or does not parse counts as a failed request.
    if (!(error instanceof Retell.APIError) || error.status === undefined) throw transportError(error);
    if (error.status === 404) return null;
    // The SDK's message quotes the response body, which must not reach a log or a workflow history.
    const { status } = error;
    const after = retryAfterMs(error.headers?.get('retry-after'), Date.now());
    throw new ProviderError(status, isRetryable(status), undefined, after);
  }
}

/** Recording URLs grant access by themselves; the API key is not sent to them. */
export async function openRecording(
  { egress }: ProviderConnection,
  url: string,
  signal: AbortSignal,
): Promise<RecordingStream> {
  const response = await egress.recordings(url, { signal }).catch((error: unknown) => {
    throw transportError(error);
  });
  if (!response.ok || response.body === null) {
    const after = retryAfterMs(response.headers.get('retry-after'), Date.now());
    throw new ProviderError(response.status, isRetryable(response.status), undefined, after);
  }
  const contentType = response.headers.get('content-type') ?? '';
  return { body: Readable.fromWeb(response.body as ReadableStream), contentType };
}
