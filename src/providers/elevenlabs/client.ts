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
  ProviderError,
  retryAfterMs,
  type ProviderAnswer,
  type ProviderCredentials,
  type RecordingStream,
} from '../provider.js';

const TIMEOUT_MS = 20_000;
const DOWNLOAD_MS = 10 * 60_000;

const pathOf = (conversationId: string): string => `/v1/convai/conversations/${encodeURIComponent(conversationId)}`;

/** GET of a conversation. 404 is an answer, not a failure: the provider does not know it. */
export async function fetchConversation(
  credentials: ProviderCredentials,
  { providerId }: { providerId: string },
): Promise<ProviderAnswer> {
  const document = await getJson(credentials, pathOf(providerId));
  return document === null ? { found: false } : { found: true, document };
}

/** GET of a JSON document; null when the provider answers 404. Throws ProviderError. */
export async function getJson(credentials: ProviderCredentials, path: string): Promise<Json | null> {
  const response = await asked(credentials, path, AbortSignal.timeout(TIMEOUT_MS));
  if (response.status === 404) {
    await response.body?.cancel();
    return null;
  }
  await refuse(response);
  // An answer that breaks off or does not parse is no answer.
  return (await response.json().catch((error: unknown) => {
    throw new ProviderError(null, true, error);
  })) as Json;
}

/** Opens the audio of the conversation that `source` names. */
export async function openRecording(
  credentials: ProviderCredentials,
  source: string,
  signal: AbortSignal,
): Promise<RecordingStream> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(DOWNLOAD_MS)]);
  const response = await asked(credentials, `${pathOf(source)}/audio`, limit);
  await refuse(response);
  if (response.body === null) throw new ProviderError(response.status, true);
  return {
    body: Readable.fromWeb(response.body as ReadableStream),
    contentType: response.headers.get('content-type')?.split(';')[0]?.trim() || 'audio/mpeg',
  };
}

function asked({ apiKey, baseUrl }: ProviderCredentials, path: string, signal: AbortSignal): Promise<Response> {
  // Whole, because the SDK would escape the question mark of a relative one.
  const url = `${(baseUrl ?? ElevenLabsEnvironment.Production).replace(/\/+$/, '')}${path}`;
  return makePassthroughRequest(url, { signal }, { headers: { 'xi-api-key': apiKey }, maxRetries: 0 }).catch(
    (error: unknown) => {
      throw new ProviderError(null, true, error);
    },
  );
}

/** Bodies of errors may quote content: they are not read. */
async function refuse({ ok, status, headers, body }: Response): Promise<void> {
  if (ok) return;
  await body?.cancel();
  throw new ProviderError(status, isRetryable(status), undefined, retryAfterMs(headers.get('retry-after'), Date.now()));
}
