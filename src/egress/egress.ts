// The only way out: requests for records, lists and recordings, in the form of `fetch`, so that SDKs can use it.
import type { IncomingMessage } from 'node:http';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { audioTypeOf, audioTypeOfBytes, isUndeclared } from '../common/audio-types.js';
import type { EgressAllow } from '../config/egress-allow.js';
import { Connections, discard, type Question } from './ask.js';
import { bodyOf, jsonTextOf } from './body.js';
import { Destinations } from './destinations.js';
import { LIMITS, type EgressLimits } from './limits.js';
import { redirected, targetOf } from './redirect.js';
import { EgressRefusal } from './refusal.js';
import type { Resolve } from './resolve.js';

/** Texts as bodies only. Answers have no headers but `content-type` and `retry-after`; bodies of errors are not read. */
export type Fetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

/** What is handed to those who ask. Both reject with {@link EgressRefusal} what our rules refuse. */
export interface Transport {
  /** JSON, read whole. */
  documents: Fetch;
  /** Audio, as a stream. `content-type` is one of ours, whatever the host calls it. */
  recordings: Fetch;
}

interface Options {
  allow: EgressAllow;
  limits?: Partial<EgressLimits>;
  resolve?: Resolve;
}

const JSON_TYPE = /^application\/([\w.-]+\+)?json\s*(;|$)/i;
/** Node's own business, or ours. */
const NOT_THEIRS = [
  'host',
  'connection',
  'content-length',
  'transfer-encoding',
  'accept-encoding',
  'expect',
  'upgrade',
];
const WINDOW_BYTES = 65_536;
/** The longest of what tells audio formats apart. */
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

  /** True when a request to this URL would be refused now. */
  isRefused(url: string): Promise<boolean> {
    return this.destinations.isRefused(url);
  }

  readonly documents: Fetch = async (input, init) => {
    const { documentMs, documentBytes, documentValues, documentDepth, silenceMs } = this.limits;
    const headers = { accept: 'application/json', 'accept-encoding': 'gzip, deflate, br' };
    const response = await this.answer(input, init, { headers, totalMs: documentMs });
    if (!isGood(response)) return refusedAnswer(response);
    if (!JSON_TYPE.test(response.headers['content-type'] ?? '')) return unwanted(response);
    const body = bodyOf(response, { maxBytes: documentBytes, silenceMs });
    const text = await jsonTextOf(body, { maxValues: documentValues, maxDepth: documentDepth });
    return new Response(text, { headers: { 'content-type': 'application/json' } });
  };

  readonly recordings: Fetch = async (input, init) => {
    const { recordingMs, recordingBytes, silenceMs } = this.limits;
    const headers = { accept: 'audio/*', 'accept-encoding': 'identity' };
    const response = await this.answer(input, init, { headers, totalMs: recordingMs });
    if (!isGood(response)) return refusedAnswer(response);
    const declared = response.headers['content-type'];
    if (audioTypeOf(declared) === null && !isUndeclared(declared)) return unwanted(response);
    const body = bodyOf(response, { maxBytes: recordingBytes, silenceMs });
    const type = audioTypeOf(declared) ?? audioTypeOfBytes(await startOf(body));
    if (type === null) {
      body.destroy();
      throw new EgressRefusal('content_type_not_allowed');
    }
    const strategy = new ByteLengthQueuingStrategy({ highWaterMark: WINDOW_BYTES });
    return new Response(Readable.toWeb(body, { strategy }) as ReadableStream, { headers: { 'content-type': type } });
  };

  /** The answer at the end of all redirects, each of which is checked like the first request. */
  private async answer(
    input: string | URL | Request,
    init: RequestInit = {},
    { headers, totalMs }: { headers: Record<string, string>; totalMs: number },
  ): Promise<IncomingMessage> {
    let question = questionOf(init, headers, AbortSignal.timeout(totalMs));
    let url = this.destinations.parsed(typeof input === 'string' ? input : 'href' in input ? input.href : input.url);
    for (let hop = 0; ; hop += 1) {
      const response = await this.connections.ask(url, question, this.destinations.lookupFor(url));
      const target = targetOf(response, url);
      if (target === null) return response;
      discard(response);
      if (hop === this.limits.redirects) throw new EgressRefusal('redirect_not_allowed');
      question = redirected(question, url, target);
      url = this.destinations.parsed(target.href);
    }
  }
}

function questionOf(init: RequestInit, defaults: Record<string, string>, limit: AbortSignal): Question {
  const given = [...new Headers(init.headers)].filter(([name]) => !NOT_THEIRS.includes(name));
  const { body = null, method = 'GET', signal } = init;
  if (body !== null && typeof body !== 'string') throw new TypeError('only texts can be sent');
  return {
    method: method.toUpperCase(),
    headers: { ...defaults, ...Object.fromEntries(given) },
    body: body ?? undefined,
    signal: signal ? AbortSignal.any([signal, limit]) : limit,
  };
}

const isGood = ({ statusCode = 0 }: IncomingMessage): boolean => statusCode >= 200 && statusCode <= 299;

/** A status that is no success, without its words. */
function refusedAnswer(response: IncomingMessage): Response {
  discard(response);
  const { statusCode = 0, headers } = response;
  if (statusCode < 200 || statusCode > 599) throw new Error('the answer has no status');
  const after = headers['retry-after'];
  return new Response(null, { status: statusCode, ...(after !== undefined && { headers: { 'retry-after': after } }) });
}

function unwanted(response: IncomingMessage): never {
  response.destroy();
  throw new EgressRefusal('content_type_not_allowed');
}

/** The first bytes of a stream, which still has them afterwards; fewer when there are no more. */
async function startOf(body: Readable): Promise<Buffer> {
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
