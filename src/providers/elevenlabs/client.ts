// ElevenLabs' HTTP API through the raw requests of the official SDK: its typed methods throw if a document lacks a single key. The
// SDK does not retry; Temporal and the gateway do, so that attempts do not multiply.
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
// The function behind `client.fetch`. Loading the whole client takes 100 MB and blocks the event loop for seconds; this takes 4 MB.
import { makePassthroughRequest } from '@elevenlabs/elevenlabs-js/core/fetcher/makePassthroughRequest.js';
import { ElevenLabsEnvironment } from '@elevenlabs/elevenlabs-js/environments.js';
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

type Fetch = ProviderConnection['egress']['documents'];

const pathOf = (conversationId: string): string => `/v1/convai/conversations/${encodeURIComponent(conversationId)}`;

/** Fetches a conversation. A 404 is a result, not a failure: the provider does not know it. */
export async function fetchConversation(
  connection: ProviderConnection,
  { providerId }: { providerId: string },
): Promise<FetchedRecord> {
  const document = await getJson(connection, pathOf(providerId));
  return document === null ? { found: false } : { found: true, document };
}

/** Fetches a JSON document; null if the provider answers 404. Throws ProviderError. */
export async function getJson(connection: ProviderConnection, path: string): Promise<Json | null> {
  const response = await send(connection, path, connection.egress.documents);
  if (response.status === 404) {
    await response.body?.cancel();
    return null;
  }
  await throwUnlessOk(response);
  // A response that breaks off or does not parse counts as a failed request.
  return (await response.json().catch((error: unknown) => {
    throw transportError(error);
  })) as Json;
}

/** Opens the audio of the conversation that `source` names. */
export async function openRecording(
  connection: ProviderConnection,
  source: string,
  signal: AbortSignal,
): Promise<RecordingStream> {
  // The SDK would leave a listener on the signal for every request.
  const fetch: Fetch = (url, init) => connection.egress.recordings(url, { ...init, signal });
  const response = await send(connection, `${pathOf(source)}/audio`, fetch);
  await throwUnlessOk(response);
  if (response.body === null) throw new ProviderError(response.status, true);
  const contentType = response.headers.get('content-type') ?? '';
  return { body: Readable.fromWeb(response.body as ReadableStream), contentType };
}

function send({ apiKey, baseUrl }: ProviderConnection, path: string, fetch: Fetch): Promise<Response> {
  // An absolute URL, because the SDK would escape the question mark of a relative one.
  const url = `${(baseUrl ?? ElevenLabsEnvironment.Production).replace(/\/+$/, '')}${path}`;
  const options = { headers: { 'xi-api-key': apiKey }, fetch: fetch as typeof globalThis.fetch, maxRetries: 0 };
  return makePassthroughRequest(url, undefined, options).catch((error: unknown) => {
    throw transportError(error);
  });
}

/** Throws ProviderError for an error status, without reading the body, which may quote content. */
async function throwUnlessOk({ ok, status, headers, body }: Response): Promise<void> {
  if (ok) return;
  await body?.cancel();
  throw new ProviderError(status, isRetryable(status), undefined, retryAfterMs(headers.get('retry-after'), Date.now()));
}
