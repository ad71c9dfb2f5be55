// The last gate before spans leave the process: known attributes pass, messages of errors never do. Whatever a library
// may one day put on a span (URLs, connection strings, values) stays here.
import type { tracing } from '@opentelemetry/sdk-node';

type Export = Parameters<tracing.SpanExporter['export']>;

const PASSES =
  /^(colloquy\.[a-z_]+|http\.(request\.method|route|response\.status_code)|error\.type|db\.(system|system\.name|name|namespace|statement|query\.text|operation\.name|response\.status_code))$/;

const known = (attributes: tracing.ReadableSpan['attributes']): tracing.ReadableSpan['attributes'] =>
  Object.fromEntries(Object.entries(attributes).filter(([key]) => PASSES.test(key)));

/** The span as it may be told: without events (stacks, messages) and without words of foreign errors. */
export function discreet(span: tracing.ReadableSpan): tracing.ReadableSpan {
  const told: tracing.ReadableSpan = Object.create(span, {
    attributes: { value: known(span.attributes) },
    events: { value: [] },
    status: { value: { code: span.status.code } },
    links: { value: span.links.map(({ context }) => ({ context })) },
  });
  return told;
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
