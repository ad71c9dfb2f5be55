// Sends webhooks as ElevenLabs does: signed with the webhook's secret, 200 alone is success, retries only when asked
// for and only of the transcription.
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

/** How a webhook fared. `status` is the last answer, 0 when there was none. */
export interface Delivery {
  status: number;
  attempts: number;
}

/** The headers of a webhook; `null` leaves the signature out. */
export function signatureHeaders(signature: string | null): Record<string, string> {
  return { 'user-agent': 'ElevenLabs/1.0', ...(signature === null ? {} : { [SIGNATURE_HEADER]: signature }) };
}

const isRetryable = (status: number): boolean => status === 0 || status >= 500 || status === 429 || status === 408;

/** Sends webhooks; each attempt carries the same body, signed anew. */
export class WebhookSender {
  constructor(private readonly options: SenderOptions) {}

  /** Sends once, or until 200, a final refusal or the end of the retries. Rejects only when `signal` is aborted. */
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
