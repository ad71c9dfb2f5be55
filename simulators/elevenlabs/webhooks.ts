// Sends webhooks as ElevenLabs does: signed with the webhook's secret, only 200 counts as success, and only
// transcription webhooks are retried, if retries are enabled.
import { createHmac } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { postOnce } from '../post.js';

const SIGNATURE_HEADER = 'elevenlabs-signature';
/** 30 s, 2 min, 8 min, 30 min, a hundred times faster. */
const RETRY_DELAYS_MS = [300, 1200, 4800, 18_000];
const RETRIED = 'post_call_transcription';

/** `t=<epoch s>,v0=<hex>`: HMAC-SHA-256 with the secret over the time, a dot and the raw body. */
export function signBody(rawBody: string, secret: string, atMs: number): string {
  const seconds = Math.floor(atMs / 1000);
  return `t=${seconds},v0=${createHmac('sha256', secret).update(`${seconds}.${rawBody}`).digest('hex')}`;
}

/** Where and how webhooks are sent; times in milliseconds. */
export interface SenderOptions {
  secret: string;
  clock: () => number;
  timeoutMs?: number;
  /** Whether the webhook was created with retries; off by default, as at ElevenLabs. */
  retries?: boolean;
  retryDelaysMs?: readonly number[];
}

/** The result of a webhook. `status` is the last response, 0 when there was none. */
export interface Delivery {
  status: number;
  attempts: number;
}

/** The headers of a webhook; `null` omits the signature. */
export function signatureHeaders(signature: string | null): Record<string, string> {
  return { 'user-agent': 'ElevenLabs/1.0', ...(signature === null ? {} : { [SIGNATURE_HEADER]: signature }) };
}

const isRetryable = (status: number): boolean => status === 0 || status >= 500 || status === 429 || status === 408;

/** Sends webhooks; each attempt has the same body with a new signature. */
export class WebhookSender {
  constructor(private readonly options: SenderOptions) {}

  /**
   * Sends once, or until 200, a status that is not retried or the last retry. Rejects only when `signal` is aborted.
   */
  async send(url: string, type: string, body: string, signal?: AbortSignal, isRetried = true): Promise<Delivery> {
    const { secret, clock, timeoutMs, retries = false } = this.options;
    const isRepeated = retries && isRetried && type === RETRIED;
    const delays = isRepeated ? (this.options.retryDelaysMs ?? RETRY_DELAYS_MS) : [];
    for (let attempt = 0; ; attempt += 1) {
      const headers = signatureHeaders(signBody(body, secret, clock()));
      const status = await postOnce(url, body, { headers, timeoutMs, signal, chunked: type === 'post_call_audio' });
      const delay = delays[attempt];
      if (!isRetryable(status) || delay === undefined) return { status, attempts: attempt + 1 };
      await sleep(delay, undefined, { signal });
    }
  }
}
