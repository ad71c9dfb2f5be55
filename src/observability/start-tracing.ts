// Imported first by both processes: what is patched for tracing must be patched before it is loaded elsewhere. Without an
// endpoint nothing of OpenTelemetry is loaded. `require`, because it is done when it returns: an `await import()` here would
// let the other imports go ahead.
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { config } from '../config/config.js';
import { DiscreetExporter } from './discreet-exporter.js';
import { traceWith } from './tracing.js';

const FLUSH_MS = 1_500;

let flush: () => Promise<void> = () => Promise.resolve();

/** Hands on what is still held, as far as that takes no longer than 1.5 s. */
export const endTracing = (): Promise<void> => Promise.race([flush(), sleep(FLUSH_MS, undefined, { ref: false })]);

function isWanted(): boolean {
  try {
    return config().tracing;
  } catch {
    // A setting that does not parse: whoever starts the process tells it.
    return false;
  }
}

function start(): void {
  const require = createRequire(import.meta.url);
  const api: typeof import('@opentelemetry/api') = require('@opentelemetry/api');
  const { node, resources, tracing }: typeof import('@opentelemetry/sdk-node') = require('@opentelemetry/sdk-node');
  const otlp: typeof import('@opentelemetry/exporter-trace-otlp-proto') = require('@opentelemetry/exporter-trace-otlp-proto');
  const pg: typeof import('@opentelemetry/instrumentation-pg') = require('@opentelemetry/instrumentation-pg');
  // Endpoint, headers and sampler come from OpenTelemetry's own variables.
  const exporter = new DiscreetExporter(new otlp.OTLPTraceExporter());
  const provider = new node.NodeTracerProvider({
    // OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES win. No host, user or command line: nobody asked for them.
    resource: resources
      .resourceFromAttributes({
        'service.name': process.argv[1]?.endsWith('worker.js') ? 'colloquy-worker' : 'colloquy-api',
      })
      .merge(resources.detectResources({ detectors: [resources.envDetector] })),
    spanProcessors: [new tracing.BatchSpanProcessor(exporter)],
  });
  provider.register();
  const queries = new pg.PgInstrumentation({
    requireParentSpan: true,
    enhancedDatabaseReporting: false,
    ignoreConnectSpans: true,
  });
  queries.setTracerProvider(provider);
  traceWith({ api, tracer: provider.getTracer('colloquy') });
  flush = () => provider.shutdown().catch(() => undefined); // the collector is away: its loss, not ours
}

if (isWanted()) start();
