import { tracing } from '@opentelemetry/sdk-node';
import { describe, expect, it } from 'vitest';
import { DiscreetExporter } from './discreet-exporter.js';

describe('DiscreetExporter', () => {
  it('passes allowed attributes, but no URL, value, message or stack', async () => {
    const inner = new tracing.InMemorySpanExporter();
    const processor = new tracing.SimpleSpanProcessor(new DiscreetExporter(inner));
    const provider = new tracing.BasicTracerProvider({ spanProcessors: [processor] });
    const span = provider.getTracer('test').startSpan('GET /v1/clients');
    span.setAttributes({ 'http.route': '/v1/clients', 'colloquy.event': 'call_ended', 'db.query.text': 'select $1' });
    span.setAttributes({ 'url.full': 'http://host/?q=otter', 'db.user': 'otter', 'db.postgresql.values': ['otter'] });
    span.recordException(new Error('otter'));
    span.setStatus({ code: 2, message: 'invalid input: "otter"' });
    span.end();
    await provider.forceFlush();
    const [exported] = inner.getFinishedSpans();
    expect(exported).toMatchObject({ name: 'GET /v1/clients', status: { code: 2 }, events: [] });
    expect(exported?.attributes).toEqual({
      'http.route': '/v1/clients',
      'colloquy.event': 'call_ended',
      'db.query.text': 'select $1',
    });
    expect(JSON.stringify([exported?.attributes, exported?.status, exported?.events])).not.toContain('otter');
    expect(exported?.spanContext().traceId).toMatch(/^[0-9a-f]{32}$/);
  });
});
