// Egress: all outgoing requests to providers and other foreign hosts. Has the signature of `fetch`, so that SDKs can use it.
import type { IncomingMessage } from 'node:http';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { audioTypeOf, audioTypeOfBytes, isUndeclared } from '../common/audio-types.js';
import type { EgressAllow } from '../config/egress-allow.js';
import { Connections, discard, type EgressRequest } from './connections.js';
import { bodyOf, jsonTextOf } from './body.js';
import { Destinations } from './destinations.js';
import { LIMITS, type EgressLimits } from './limits.js';
import { redirected, targetOf } from './redirect.js';
import { EgressRefusal } from './refusal.js';
import type { Resolve } from './resolve.js';

/** Like `fetch`, but bodies must be text, responses only have `content-type` and `retry-after`, and error bodies are dropped. */
export type Fetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

/** The two kinds of request. Both reject with {@link EgressRefusal} if a rule forbids the request or its response. */
export interface Transport {
  /** JSON documents, buffered. */
  documents: Fetch;
  /** Audio, streamed. `content-type` is normalised to our names (audio-types.ts). */
  recordings: Fetch;
}

interface Options {
  allow: EgressAllow;
  limits?: Partial<EgressLimits>;
  resolve?: Resolve;
}

const JSON_TYPE = /^application\/([\w.-]+\+)?json\s*(;|$)/i;
/** Headers that callers cannot set: Node or this class does. */
const RESERVED_HEADERS = [
  'host',
  'connection',
  'content-length',
  'transfer-encoding',
  'accept-encoding',
  'expect',
  'upgrade',
];
const BUFFER_BYTES = 65_536;
/** First bytes needed to recognise an audio format. */
const MAGIC_BYTES = 12;

export class Egress implements Transport {
  private readonly limits: EgressLimits;
  private readonly destinations: Destinations;
  private readonly connections: Connections;

  constructor({ allow, limits, resolve }: Options) {
    this.limits = { ...LIMITS, ...limits };
    this.destinations = new Destinations(allow, resolve);
    this.connections = new Connections(this.limits);
  }

  /** Whether a request to this URL would be refused now. */
  isRefused(url: string): Promise<boolean> {
    return this.destinations.isRefused(url);
  }

  readonly documents: Fetch = async (input, init) => {
    const { documentMs, documentBytes, documentValues, documentDepth, silenceMs } = this.limits;
    const headers = { accept: 'application/json', 'accept-encoding': 'gzip, deflate, br' };
    const response = await this.send(input, init, { headers, totalMs: documentMs });
    if (!isSuccess(response)) return errorResponse(response);
    if (!JSON_TYPE.test(response.headers['content-type'] ?? '')) return refuseContentType(response);
    const body = bodyOf(response, { maxBytes: documentBytes, silenceMs });
    const text = await jsonTextOf(body, { maxValues: documentValues, maxDepth: documentDepth });
    return new Response(text, { headers: { 'content-type': 'application/json' } });
  };

  readonly recordings: Fetch = async (input, init) => {
    const { recordingMs, recordingBytes, silenceMs } = this.limits;
    const headers = { accept: 'audio/*', 'accept-encoding': 'identity' };
    const response = await this.send(input, init, { headers, totalMs: recordingMs });
    if (!isSuccess(response)) return errorResponse(response);
    const declared = response.headers['content-type'];
    if (audioTypeOf(declared) === null && !isUndeclared(declared)) return refuseContentType(response);
    const body = bodyOf(response, { maxBytes: recordingBytes, silenceMs });
    const type = audioTypeOf(declared) ?? audioTypeOfBytes(await peekStart(body));
    if (type === null) {
      body.destroy();
      throw new EgressRefusal('content_type_not_allowed');
    }
    const strategy = new ByteLengthQueuingStrategy({ highWaterMark: BUFFER_BYTES });
    return new Response(Readable.toWeb(body, { strategy }) as ReadableStream, { headers: { 'content-type': type } });
  };

  /** Follows redirects, each checked like the first request, and returns the final response. */
  private async send(
    input: string | URL | Request,
    init: RequestInit = {},
    { headers, totalMs }: { headers: Record<string, string>; totalMs: number },
  ): Promise<IncomingMessage> {
    let request = requestOf(init, headers, AbortSignal.timeout(totalMs));
    let url = this.destinations.parse(typeof input === 'string' ? input : 'href' in input ? input.href : input.url);
    for (let hop = 0; ; hop += 1) {
      const response = await this.connections.send(url, request, this.destinations.lookupFor(url));
      const target = targetOf(response, url);
      if (target === null) return response;
      discard(response);
      if (hop === this.limits.redirects) throw new EgressRefusal('redirect_not_allowed');
      request = redirected(request, url, target);
      url = this.destinations.parse(target.href);
    }
  }
}

function requestOf(init: RequestInit, defaults: Record<string, string>, limit: AbortSignal): EgressRequest {
  const given = [...new Headers(init.headers)].filter(([name]) => !RESERVED_HEADERS.includes(name));
  const { body = null, method = 'GET', signal } = init;
  if (body !== null && typeof body !== 'string') throw new TypeError('only text bodies can be sent');
  return {
    method: method.toUpperCase(),
    headers: { ...defaults, ...Object.fromEntries(given) },
    body: body ?? undefined,
    signal: signal ? AbortSignal.any([signal, limit]) : limit,
  };
}

const isSuccess = ({ statusCode = 0 }: IncomingMessage): boolean => statusCode >= 200 && statusCode <= 299;

/** An error status without its body, which might quote content. */
function errorResponse(response: IncomingMessage): Response {
  discard(response);
  const { statusCode = 0, headers } = response;
  if (statusCode < 200 || statusCode > 599) throw new Error('the response has an invalid status');
  const after = headers['retry-after'];
  return new Response(null, { status: statusCode, ...(after !== undefined && { headers: { 'retry-after': after } }) });
}

function refuseContentType(response: IncomingMessage): never {
  response.destroy();
  throw new EgressRefusal('content_type_not_allowed');
}

/** Peeks at the first bytes of a stream; fewer if it ends before. */
async function peekStart(body: Readable): Promise<Buffer> {
  for (;;) {
    const start = body.read(MAGIC_BYTES) as Buffer | null;
    if (start !== null) {
      body.unshift(start);
      return start;
    }
    if (body.readableEnded) return Buffer.alloc(0);
    await Promise.race([once(body, 'readable'), once(body, 'end')]);
  }
}
