// ElevenLabs' HTTP API through the official SDK's raw request: its typed methods throw on a document that misses one key
// (reference/providers.md 1.2). Retries are ours (Temporal), so that attempts do not multiply.
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
// What `client.fetch` calls. The whole client takes 100 MB and seconds of a blocked event loop to load; this takes 4 MB.
import { makePassthroughRequest } from '@elevenlabs/elevenlabs-js/core/fetcher/makePassthroughRequest.js';
import { ElevenLabsEnvironment } from '@elevenlabs/elevenlabs-js/environments.js';
import type { Json } from '../provider-fact.js';
import { isRetryable } from '../provider-mapping.js';
import {
  brokenOff,
  ProviderError,
  retryAfterMs,
  type ProviderAnswer,
  type ProviderConnection,
  type RecordingStream,
} from '../provider.js';

type Fetch = ProviderConnection['egress']['documents'];

const pathOf = (conversationId: string): string => `/v1/convai/conversations/${encodeURIComponent(conversationId)}`;

/** GET of a conversation. 404 is an answer, not a failure: the provider does not know it. */
export async function fetchConversation(
  connection: ProviderConnection,
  { providerId }: { providerId: string },
): Promise<ProviderAnswer> {
  const document = await getJson(connection, pathOf(providerId));
  return document === null ? { found: false } : { found: true, document };
}

/** GET of a JSON document; null when the provider answers 404. Throws ProviderError. */
export async function getJson(connection: ProviderConnection, path: string): Promise<Json | null> {
  const response = await asked(connection, path, connection.egress.documents);
  if (response.status === 404) {
    await response.body?.cancel();
    return null;
  }
  await refuse(response);
  // An answer that breaks off or does not parse is no answer.
  return (await response.json().catch((error: unknown) => {
    throw brokenOff(error);
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
  const response = await asked(connection, `${pathOf(source)}/audio`, fetch);
  await refuse(response);
  if (response.body === null) throw new ProviderError(response.status, true);
  const contentType = response.headers.get('content-type') ?? '';
  return { body: Readable.fromWeb(response.body as ReadableStream), contentType };
}

function asked({ apiKey, baseUrl }: ProviderConnection, path: string, fetch: Fetch): Promise<Response> {
  // Whole, because the SDK would escape the question mark of a relative one.
  const url = `${(baseUrl ?? ElevenLabsEnvironment.Production).replace(/\/+$/, '')}${path}`;
  const options = { headers: { 'xi-api-key': apiKey }, fetch: fetch as typeof globalThis.fetch, maxRetries: 0 };
  return makePassthroughRequest(url, undefined, options).catch((error: unknown) => {
    throw brokenOff(error);
  });
}

/** Bodies of errors may quote content: they are not read. */
async function refuse({ ok, status, headers, body }: Response): Promise<void> {
  if (ok) return;
  await body?.cancel();
  throw new ProviderError(status, isRetryable(status), undefined, retryAfterMs(headers.get('retry-after'), Date.now()));
}
