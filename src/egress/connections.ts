// Sends one request over a kept-alive or new connection. No redirects; the only retry is for a stale connection.
import { Agent as HttpAgent, request as requestHttp, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import type { LookupFunction } from 'node:net';
import type { EgressLimits } from './limits.js';

export interface EgressRequest {
  method: string;
  /** Names in lower case. */
  headers: Record<string, string>;
  body: string | undefined;
  signal: AbortSignal;
}

/** Idle connections are closed after this time, earlier than most servers close them. */
const IDLE_MS = 4_000;
/** How much of an unneeded response is read, so that its connection can be reused. */
const DISCARD_BYTES = 65_536;
const DISCARD_MS = 1_000;

/** Kept-alive connections to all hosts. */
export class Connections {
  private readonly plain = new HttpAgent({ keepAlive: true, timeout: IDLE_MS });
  private readonly secure = new HttpsAgent({ keepAlive: true, timeout: IDLE_MS });

  constructor(private readonly limits: EgressLimits) {}

  /** Resolves with the response, its body unread. Rejects if the host does not answer in time or the signal is aborted. */
  async send(url: URL, request: EgressRequest, lookup: LookupFunction): Promise<IncomingMessage> {
    try {
      return await this.sendOnce(url, request, lookup);
    } catch (error) {
      // The host closed the idle connection just as we reused it. It has most likely not seen the request, and all are reads.
      if (!(error instanceof StaleConnection)) throw error;
      return this.sendOnce(url, request, lookup);
    }
  }

  private sendOnce(url: URL, { body, ...options }: EgressRequest, lookup: LookupFunction): Promise<IncomingMessage> {
    const isSecure = url.protocol === 'https:';
    const { connectMs, headersMs } = this.limits;
    return new Promise((resolve, reject) => {
      const request = isSecure
        ? requestHttps(url, { ...options, lookup, agent: this.secure })
        : requestHttp(url, { ...options, lookup, agent: this.plain });
      const giveUp = (): void => void request.destroy(new Error('the host does not answer'));
      let timer = setTimeout(giveUp, connectMs);
      request.once('socket', (socket) => {
        const connected = (): void => {
          clearTimeout(timer);
          timer = setTimeout(giveUp, headersMs);
        };
        if (socket.connecting) socket.once(isSecure ? 'secureConnect' : 'connect', connected);
        else connected();
      });
      request.once('response', (response) => {
        clearTimeout(timer);
        resolve(response);
      });
      // Stays registered after the response has begun: a broken connection then fails the body, but emits an error here too.
      request.on('error', (error: NodeJS.ErrnoException) => {
        clearTimeout(timer);
        reject(request.reusedSocket && error.code === 'ECONNRESET' ? new StaleConnection() : error);
      });
      // After an unexpected 101, Node closes the connection with neither a response nor an error.
      request.once('close', () => {
        clearTimeout(timer);
        reject(new Error('the host closed the connection without a response'));
      });
      request.end(body);
    });
  }
}

class StaleConnection extends Error {}

/** Drops a response, reading a small rest so that the connection can be reused. */
export function discard(response: IncomingMessage): void {
  let left = DISCARD_BYTES;
  const timer = setTimeout(() => response.destroy(), DISCARD_MS);
  response.once('close', () => clearTimeout(timer));
  response.on('error', () => undefined);
  response.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) response.destroy();
  });
}
