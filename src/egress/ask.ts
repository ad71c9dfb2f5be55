// One request over one connection: no redirects, no retries but the one that a kept connection may need.
import { Agent as HttpAgent, request as askPlain, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as askSecure } from 'node:https';
import type { LookupFunction } from 'node:net';
import type { EgressLimits } from './limits.js';

export interface Question {
  method: string;
  /** Names in lower case. */
  headers: Record<string, string>;
  body: string | undefined;
  signal: AbortSignal;
}

/** An idle connection is closed after so many milliseconds: earlier than most servers do. */
const KEPT_MS = 4_000;
/** What is read of an answer that nobody wants, so that its connection can be kept. */
const UNWANTED_BYTES = 65_536;
const UNWANTED_MS = 1_000;

/** Connections to hosts, kept for the next request. */
export class Connections {
  private readonly plain = new HttpAgent({ keepAlive: true, timeout: KEPT_MS });
  private readonly secure = new HttpsAgent({ keepAlive: true, timeout: KEPT_MS });

  constructor(private readonly limits: EgressLimits) {}

  /** The answer, its body unread. Rejects when the host does not answer in time or the signal is aborted. */
  async ask(url: URL, question: Question, lookup: LookupFunction): Promise<IncomingMessage> {
    try {
      return await this.askOnce(url, question, lookup);
    } catch (error) {
      // The host closed a kept connection just when we used it: most likely it has not seen the request, and all are questions.
      if (!(error instanceof StaleConnection)) throw error;
      return this.askOnce(url, question, lookup);
    }
  }

  private askOnce(url: URL, { body, ...options }: Question, lookup: LookupFunction): Promise<IncomingMessage> {
    const isSecure = url.protocol === 'https:';
    const { connectMs, headersMs } = this.limits;
    return new Promise((resolve, reject) => {
      const request = isSecure
        ? askSecure(url, { ...options, lookup, agent: this.secure })
        : askPlain(url, { ...options, lookup, agent: this.plain });
      const silent = (): void => void request.destroy(new Error('the host does not answer'));
      let timer = setTimeout(silent, connectMs);
      request.once('socket', (socket) => {
        const connected = (): void => {
          clearTimeout(timer);
          timer = setTimeout(silent, headersMs);
        };
        if (socket.connecting) socket.once(isSecure ? 'secureConnect' : 'connect', connected);
        else connected();
      });
      request.once('response', (response) => {
        clearTimeout(timer);
        resolve(response);
      });
      // Stays when the answer has begun: a connection that breaks then is the body's error, and this one must be heard.
      request.on('error', (error: NodeJS.ErrnoException) => {
        clearTimeout(timer);
        reject(request.reusedSocket && error.code === 'ECONNRESET' ? new StaleConnection() : error);
      });
      // A host that answers 101 unasked: Node ends the connection, with neither an answer nor an error.
      request.once('close', () => {
        clearTimeout(timer);
        reject(new Error('the host ended the connection without an answer'));
      });
      request.end(body);
    });
  }
}

class StaleConnection extends Error {}

/** Lets go of an answer without using its body. */
export function discard(response: IncomingMessage): void {
  let left = UNWANTED_BYTES;
  const timer = setTimeout(() => response.destroy(), UNWANTED_MS);
  response.once('close', () => clearTimeout(timer));
  response.on('error', () => undefined);
  response.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) response.destroy();
  });
}
