// One log line, one metric observation and, when tracing, one span per request. None of them contains the raw URL, which may
// hold personal data: routes appear as their template, ids only if they are well-formed ids of ours.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Log, LogFields } from '../common/log.js';
import { notesOf } from '../http/request-notes.js';
import { requestAnswered } from './metrics.js';
import { openSpan, type OpenSpan } from './tracing.js';

/** Probes request these every few seconds: logged at level debug. */
const QUIET = new Set(['/healthz', '/readyz']);
/** One of our TypeIDs: prefix and 26 characters of base32 (https://github.com/jetify-com/typeid). */
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
  /** Start of requests without a span yet, epoch milliseconds: those that want to continue a trace wait for authentication. */
  private readonly unspanned = new WeakMap<FastifyRequest, number>();
  private open = 0;
  private onLast: () => void = () => undefined;

  constructor(private readonly log: Log) {}

  /** Adds hooks around every request; call before adding any other hook. */
  follow(fastify: FastifyInstance): void {
    fastify.addHook('onRequest', (request, reply, done) => {
      this.begin(request, reply);
      this.within(request, done);
    });
    // Reading the body loses the async context, so the span is entered again.
    fastify.addHook('preHandler', (request, _reply, done) => this.within(request, done));
    // A request that was cut ends a moment after the server has closed: wait for its log line before the process exits.
    fastify.addHook('onClose', () => this.allLogged());
  }

  /** Adds the hook that opens spans of authenticated requests; call right after adding the authentication hook. */
  followCallers(fastify: FastifyInstance): void {
    fastify.addHook('onRequest', (request, _reply, done) => {
      this.spanOf(request);
      this.within(request, done);
    });
  }

  /** Logs and measures the request when it ends. Also called for requests that the router refuses before any hook. */
  begin(request: FastifyRequest, reply: FastifyReply): void {
    this.open += 1;
    const begun = performance.now();
    // The caller is not authenticated yet, and only an authenticated caller's trace is continued.
    this.unspanned.set(request, Date.now());
    if (traceGiven(request) === null) this.spanOf(request);
    reply.raw.once('close', () => {
      const span = this.spanOf(request);
      const summary = summaryOf(request, reply, performance.now() - begun);
      requestAnswered({ ...summary, seconds: summary.duration_ms / 1000 });
      const fields = { ...summary, ...idsOf(request), ...notesOf(request), ...(span && { trace_id: span.traceId }) };
      if (QUIET.has(summary.route ?? '')) this.log.debug('request', fields);
      else this.log.info('request', fields);
      endSpan(span, fields);
      this.open -= 1;
      if (this.open === 0) this.onLast();
    });
  }

  /** The span of the request, opened by the first call; null if tracing is off. */
  private spanOf(request: FastifyRequest): OpenSpan | null {
    const startTime = this.unspanned.get(request);
    if (startTime !== undefined) {
      this.unspanned.delete(request);
      const span = openSpan(request.method, { kind: 'server', parent: parentOf(request), startTime });
      if (span !== null) this.spans.set(request, span);
    }
    return this.spans.get(request) ?? null;
  }

  private allLogged(): Promise<void> {
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

interface RequestSummary extends LogFields {
  request_id: string;
  method: string;
  route: string | null;
  status: number;
  duration_ms: number;
}

function summaryOf(request: FastifyRequest, { raw }: FastifyReply, durationMs: number): RequestSummary {
  return {
    request_id: request.id,
    method: request.method,
    route: request.routeOptions.url ?? null,
    status: raw.statusCode,
    duration_ms: Math.round(durationMs * 10) / 10,
    // The connection ended, on either side, before the response was complete.
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

/** Only an authenticated caller may continue its own trace; every other request begins a new one. */
const parentOf = (request: FastifyRequest): string | null => (request.caller ? traceGiven(request) : null);

function endSpan(span: OpenSpan | null, { method, route, status, ...fields }: RequestSummary): void {
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
