// Sends webhooks as Retell does: signed with the API key; any 2xx within ten seconds is success, otherwise three retries.
import { createHmac } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { postOnce } from '../post.js';

const SIGNATURE_HEADER = 'x-retell-signature';

/** `v=<epoch ms>,d=<hex>`: HMAC-SHA-256 with the API key over the raw body and the time, without a separator. */
export function signBody(rawBody: string, apiKey: string, atMs: number): string {
  return `v=${atMs},d=${createHmac('sha256', apiKey).update(`${rawBody}${atMs}`).digest('hex')}`;
}

/** Where and how webhooks are sent; times in milliseconds. */
export interface SenderOptions {
  apiKey: string;
  clock: () => number;
  timeoutMs?: number;
  retryDelaysMs?: readonly number[];
}

/** The result of a webhook. `status` is the last response, 0 when there was none. */
export interface Delivery {
  status: number;
  attempts: number;
}

const isSuccess = (status: number): boolean => status >= 200 && status < 300;

/** The headers of a webhook; `null` omits the signature. */
export function signatureHeaders(signature: string | null): Record<string, string> {
  return { 'user-agent': 'retell-webhook', ...(signature === null ? {} : { [SIGNATURE_HEADER]: signature }) };
}

/** Sends webhooks with retries; each attempt has a new signature. */
export class WebhookSender {
  constructor(private readonly options: SenderOptions) {}

  /** Sends until a 2xx or until the retries are used up. Rejects only when `signal` is aborted. */
  async send(url: string, body: string, signal?: AbortSignal, isRetried = true): Promise<Delivery> {
    const delays = isRetried ? (this.options.retryDelaysMs ?? [1000, 2000, 4000]) : [];
    for (let attempt = 0; ; attempt += 1) {
      const signature = signBody(body, this.options.apiKey, this.options.clock());
      const headers = signatureHeaders(signature);
      const status = await postOnce(url, body, { headers, timeoutMs: this.options.timeoutMs, signal });
      const delay = delays[attempt];
      if (isSuccess(status) || delay === undefined) return { status, attempts: attempt + 1 };
      await sleep(delay, undefined, { signal });
    }
  }
}
