// Sends webhooks as Retell does: signed with the API key, any 2xx within ten seconds is success, else three retries.
import { createHmac } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

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

/** How a webhook fared. `status` is the last answer, 0 when there was none. */
export interface Delivery {
  status: number;
  attempts: number;
}

const isSuccess = (status: number): boolean => status >= 200 && status < 300;

/** Posts one body once. Returns the status, 0 when nobody answered in time; rejects only when `signal` is aborted. */
export async function post(
  url: string,
  body: string,
  options: { signature: string | null; timeoutMs?: number; signal?: AbortSignal },
): Promise<number> {
  const timeout = AbortSignal.timeout(options.timeoutMs ?? 10_000);
  const headers: Record<string, string> = { 'content-type': 'application/json', 'user-agent': 'retell-webhook' };
  if (options.signature !== null) headers[SIGNATURE_HEADER] = options.signature;
  try {
    const signal = options.signal ? AbortSignal.any([timeout, options.signal]) : timeout;
    const response = await fetch(url, { method: 'POST', body, headers, signal });
    await response.arrayBuffer();
    return response.status;
  } catch (error) {
    options.signal?.throwIfAborted();
    if (error instanceof TypeError || timeout.aborted) return 0;
    throw error;
  }
}

/** Sends webhooks with retries; each attempt is signed anew. */
export class WebhookSender {
  constructor(private readonly options: SenderOptions) {}

  /** Sends until a 2xx or until the retries are used up. Rejects only when `signal` is aborted. */
  async send(url: string, body: string, signal?: AbortSignal): Promise<Delivery> {
    const delays = this.options.retryDelaysMs ?? [1000, 2000, 4000];
    for (let attempt = 0; ; attempt += 1) {
      const signature = signBody(body, this.options.apiKey, this.options.clock());
      const status = await post(url, body, { signature, timeoutMs: this.options.timeoutMs, signal });
      const delay = delays[attempt];
      if (isSuccess(status) || delay === undefined) return { status, attempts: attempt + 1 };
      await sleep(delay, undefined, { signal });
    }
  }
}
