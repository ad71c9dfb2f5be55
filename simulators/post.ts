// Sends one webhook.

/** Options of one POST; `chunked` sends the body without a length. Times in milliseconds. */
export interface PostOptions {
  headers: Record<string, string>;
  timeoutMs?: number;
  signal?: AbortSignal;
  chunked?: boolean;
}

function streamOf(body: string): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder().encode(body);
  const chunk = 64 * 1024;
  let at = 0;
  return new ReadableStream({
    pull: (controller) => {
      controller.enqueue(bytes.subarray(at, at + chunk));
      at += chunk;
      if (at >= bytes.length) controller.close();
    },
  });
}

/**
 * Posts a JSON body once. Returns the status, 0 when there was no response in time; rejects only when `signal` is
 * aborted.
 */
export async function postOnce(url: string, body: string, options: PostOptions): Promise<number> {
  const timeout = AbortSignal.timeout(options.timeoutMs ?? 10_000);
  const headers = { 'content-type': 'application/json', ...options.headers };
  const content = options.chunked === true ? { body: streamOf(body), duplex: 'half' as const } : { body };
  try {
    const signal = options.signal ? AbortSignal.any([timeout, options.signal]) : timeout;
    const response = await fetch(url, { method: 'POST', headers, signal, redirect: 'manual', ...content });
    await response.arrayBuffer();
    return response.status;
  } catch (error) {
    options.signal?.throwIfAborted();
    if (error instanceof TypeError || timeout.aborted) return 0;
    throw error;
  }
}
