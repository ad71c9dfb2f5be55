// One log line, one observation and, when tracing, one span for every request. The raw URL is in none of them: it may hold
// numbers and words of people. Routes are told by their template, ids only when they are well-formed ids of ours.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Log, LogFields } from '../common/log.js';
import { notesOf } from '../http/request-notes.js';
import { requestAnswered } from './metrics.js';
import { openSpan, type OpenSpan } from './tracing.js';

/** Asked every few seconds by machines: their lines are for those who look closely. */
const QUIET = new Set(['/healthz', '/readyz']);
/** A TypeID of ours: prefix and 26 characters of base32 (https://github.com/jetify-com/typeid). */
const PUBLIC_ID = /^(conv|pa|cl|agt|key|rec|fact|rcn|trf)_[0-7][0-9a-hjkmnp-tv-z]{25}$/;
const NAMES: Record<string, string> = {
  conv: 'conversation_id',
  pa: 'provider_account_id',
  cl: 'client_id',
  agt: 'agent_id',
  key: 'api_key_id',
  rec: 'recording_id',
  fact: 'fact_id',
  rcn: 'reconciliation_id',
  trf: 'transfer_id',
};

export class RequestObserver {
  private readonly spans = new WeakMap<FastifyRequest, OpenSpan>();
  /** When those that ask to continue a trace began, epoch milliseconds, until it is known who sends them. */
  private readonly awaited = new WeakMap<FastifyRequest, number>();
  private open = 0;
  private onLast: () => void = () => undefined;

  constructor(private readonly log: Log) {}

  /** Hooks around every request; call before all others. */
  follow(fastify: FastifyInstance): void {
    fastify.addHook('onRequest', (request, reply, done) => {
      this.begin(request, reply);
      this.within(request, done);
    });
    // Reading a body loses the way back to the span.
    fastify.addHook('preHandler', (request, _reply, done) => this.within(request, done));
    // A request that was cut is over a moment after its server is closed: the process must not end in between.
    fastify.addHook('onClose', () => this.allTold());
  }

  /** A further hook; call after the one that says who sends a request, and add no other in between. */
  followCallers(fastify: FastifyInstance): void {
    fastify.addHook('onRequest', (request, _reply, done) => {
      this.spanOf(request);
      this.within(request, done);
    });
  }

  /** For the hook, and for requests that the router refuses before any hook: tells of the request when it is over. */
  begin(request: FastifyRequest, reply: FastifyReply): void {
    this.open += 1;
    const begun = performance.now();
    // Whoever names a trace is not known yet: a stranger's is not continued.
    this.awaited.set(request, Date.now());
    if (traceGiven(request) === null) this.spanOf(request);
    reply.raw.once('close', () => {
      const span = this.spanOf(request);
      const told = toldOf(request, reply, performance.now() - begun);
      requestAnswered({ ...told, seconds: told.duration_ms / 1000 });
      const fields = { ...told, ...idsOf(request), ...notesOf(request), ...(span && { trace_id: span.traceId }) };
      if (QUIET.has(told.route ?? '')) this.log.debug('request', fields);
      else this.log.info('request', fields);
      endSpan(span, fields);
      this.open -= 1;
      if (this.open === 0) this.onLast();
    });
  }

  /** The span of the request, opened by the first who asks; null: none, tracing is off. */
  private spanOf(request: FastifyRequest): OpenSpan | null {
    const startTime = this.awaited.get(request);
    if (startTime !== undefined) {
      this.awaited.delete(request);
      const span = openSpan(request.method, { kind: 'server', parent: parentOf(request), startTime });
      if (span !== null) this.spans.set(request, span);
    }
    return this.spans.get(request) ?? null;
  }

  private allTold(): Promise<void> {
    return new Promise((resolve) => {
      this.onLast = resolve;
      if (this.open === 0) resolve();
    });
  }

  private within(request: FastifyRequest, next: () => void): void {
    const span = this.spans.get(request);
    if (span === undefined) next();
    else span.within(next);
  }
}

interface Told extends LogFields {
  request_id: string;
  method: string;
  route: string | null;
  status: number;
  duration_ms: number;
}

function toldOf(request: FastifyRequest, { raw }: FastifyReply, durationMs: number): Told {
  return {
    request_id: request.id,
    method: request.method,
    route: request.routeOptions.url ?? null,
    status: raw.statusCode,
    duration_ms: Math.round(durationMs * 10) / 10,
    // By either side, before its end: the status was meant for what did not arrive whole.
    ...(!raw.writableFinished && { cut: true }),
  };
}

function idsOf({ caller, params }: FastifyRequest): LogFields {
  const values = typeof params === 'object' && params !== null ? Object.values(params) : [];
  const named = values.flatMap((value: unknown) => {
    const prefix = typeof value === 'string' ? PUBLIC_ID.exec(value)?.[1] : undefined;
    return prefix === undefined ? [] : [[NAMES[prefix] ?? 'id', value]];
  });
  return { ...(caller && { key_id: caller.keyName, source: caller.source.tag }), ...Object.fromEntries(named) };
}

function traceGiven({ headers }: FastifyRequest): string | null {
  const given = headers['traceparent'];
  return typeof given === 'string' ? given : null;
}

/** A caller with a working key may continue its own trace; everybody else's request begins one, whatever it claims. */
const parentOf = (request: FastifyRequest): string | null => (request.caller ? traceGiven(request) : null);

function endSpan(span: OpenSpan | null, { method, route, status, ...fields }: Told): void {
  if (span === null) return;
  span.name(`${method} ${route ?? 'unknown route'}`);
  span.set({
    'http.request.method': method,
    'http.response.status_code': status,
    ...(route !== null && { 'http.route': route }),
  });
  for (const [name, value] of Object.entries(fields))
    if (typeof value === 'string') span.set({ [`colloquy.${name}`]: value });
  span.end(status >= 500 ? { code: fields['code'] ?? String(status) } : undefined);
}
