// Spans, if tracing is on (start-tracing.ts). If it is off, the functions here just run the work they are given.
import type * as Otel from '@opentelemetry/api';
import { errorFields } from '../common/log.js';

export type SpanAttributes = Record<string, string | number | boolean>;

interface SpanOptions {
  kind?: 'server' | 'client' | 'consumer' | 'producer' | 'internal';
  /** W3C traceparent of the parent; absent: the active span; null: none, a new trace begins. */
  parent?: string | null | undefined;
  /** Epoch milliseconds; absent: now. */
  startTime?: number;
  /** Traceparents of further spans that this one results from. */
  links?: string[];
  /** Ids and enumerations only. */
  attributes?: SpanAttributes;
}

/** A span that is open. */
export interface OpenSpan {
  readonly traceId: string;
  name(name: string): void;
  set(attributes: SpanAttributes): void;
  /** Runs `work` with this span active. */
  within<Result>(work: () => Result): Result;
  /** Of a `failure` only its code is recorded: messages may quote content. */
  end(failure?: unknown): void;
}

interface Tracing {
  api: typeof import('@opentelemetry/api');
  tracer: Otel.Tracer;
}

let tracing: Tracing | undefined;

/** Turns tracing on; call once, before any span. */
export function traceWith(started: Tracing): void {
  tracing = started;
}

/** Whether tracing is on. */
export const isTracing = (): boolean => tracing !== undefined;

/** https://www.w3.org/TR/trace-context/#traceparent-header */
const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

function contextOf(traceparent: string): Otel.SpanContext | null {
  const [, traceId, spanId, flags] = TRACEPARENT.exec(traceparent) ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return null;
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
}

/** The active span as W3C traceparent; null if there is none. */
export function traceparent(): string | null {
  const context = tracing?.api.trace.getActiveSpan()?.spanContext();
  if (context === undefined || !tracing?.api.isSpanContextValid(context)) return null;
  return `00-${context.traceId}-${context.spanId}-${context.traceFlags.toString(16).padStart(2, '0')}`;
}

/** Opens a span; null if tracing is off. The caller must end it. */
export function openSpan(
  name: string,
  { kind = 'internal', parent, links = [], attributes, startTime }: SpanOptions,
): OpenSpan | null {
  if (tracing === undefined) return null;
  const { api, tracer } = tracing;
  const remote = typeof parent === 'string' ? contextOf(parent) : null;
  const base = parent === undefined ? api.context.active() : api.ROOT_CONTEXT;
  const origin = remote === null ? base : api.trace.setSpanContext(base, remote);
  const linked = links.flatMap((link) => contextOf(link) ?? []).map((context) => ({ context }));
  const kindOf = { server: 1, client: 2, producer: 3, consumer: 4, internal: 0 } satisfies Record<
    typeof kind,
    Otel.SpanKind
  >;
  const details = {
    kind: kindOf[kind],
    links: linked,
    ...(attributes && { attributes }),
    ...(startTime && { startTime }),
  };
  const span = tracer.startSpan(name, details, origin);
  const own = api.trace.setSpan(origin, span);
  return {
    traceId: span.spanContext().traceId,
    name: (better) => void span.updateName(better),
    set: (more) => void span.setAttributes(more),
    within: (work) => api.context.with(own, work),
    end: (failure) => {
      if (failure !== undefined) {
        const { name: kindOfError, code } = errorFields(failure);
        span.setAttribute('error.type', code ?? kindOfError).setStatus({ code: api.SpanStatusCode.ERROR });
      }
      span.end();
    },
  };
}

/** Runs `work` in a new span, which ends with it. */
export async function traced<Result>(
  name: string,
  options: SpanOptions,
  work: (span: OpenSpan | null) => Promise<Result>,
): Promise<Result> {
  const span = openSpan(name, options);
  if (span === null) return work(null);
  try {
    const result = await span.within(() => work(span));
    span.end();
    return result;
  } catch (error) {
    span.end(error);
    throw error;
  }
}
