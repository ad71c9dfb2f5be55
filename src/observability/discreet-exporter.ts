// Filters spans before they leave the process: only attributes on an allow list pass, error messages never do. Whatever else a
// library puts on a span (URLs, connection strings, values) is dropped.
import type { tracing } from '@opentelemetry/sdk-node';

type Export = Parameters<tracing.SpanExporter['export']>;

const ALLOWED =
  /^(colloquy\.[a-z_]+|http\.(request\.method|route|response\.status_code)|error\.type|db\.(system|system\.name|name|namespace|statement|query\.text|operation\.name|response\.status_code))$/;

const allowed = (attributes: tracing.ReadableSpan['attributes']): tracing.ReadableSpan['attributes'] =>
  Object.fromEntries(Object.entries(attributes).filter(([key]) => ALLOWED.test(key)));

/** The span with allowed attributes only, without events (stacks, messages) and without the status message. */
export function discreet(span: tracing.ReadableSpan): tracing.ReadableSpan {
  return Object.create(span, {
    attributes: { value: allowed(span.attributes) },
    events: { value: [] },
    status: { value: { code: span.status.code } },
    links: { value: span.links.map(({ context }) => ({ context })) },
  }) as tracing.ReadableSpan;
}

export class DiscreetExporter implements tracing.SpanExporter {
  constructor(private readonly inner: tracing.SpanExporter) {}

  export(spans: Export[0], done: Export[1]): void {
    this.inner.export(spans.map(discreet), done);
  }

  shutdown(): Promise<void> {
    return this.inner.shutdown();
  }

  async forceFlush(): Promise<void> {
    await this.inner.forceFlush?.();
  }
}
