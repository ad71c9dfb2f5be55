// Imported first by both processes, because libraries must be patched for tracing before anything else loads them. Without an
// OTLP endpoint OpenTelemetry is not loaded at all. Uses `require`, which is synchronous: during an `await import()` here the
// other imports would go ahead.
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { config } from '../config/config.js';
import { DiscreetExporter } from './discreet-exporter.js';
import { traceWith } from './tracing.js';

const FLUSH_MS = 1_500;

let flush: () => Promise<void> = () => Promise.resolve();

/** Exports the remaining spans, for at most 1.5 s. */
export const endTracing = (): Promise<void> => Promise.race([flush(), sleep(FLUSH_MS, undefined, { ref: false })]);

function isEnabled(): boolean {
  try {
    return config().tracing;
  } catch {
    // An invalid setting: main.ts or worker.ts reports it.
    return false;
  }
}

function start(): void {
  const require = createRequire(import.meta.url);
  const api: typeof import('@opentelemetry/api') = require('@opentelemetry/api');
  const { node, resources, tracing }: typeof import('@opentelemetry/sdk-node') = require('@opentelemetry/sdk-node');
  const otlp: typeof import('@opentelemetry/exporter-trace-otlp-proto') = require('@opentelemetry/exporter-trace-otlp-proto');
  const pg: typeof import('@opentelemetry/instrumentation-pg') = require('@opentelemetry/instrumentation-pg');
  // Endpoint, headers and sampler come from OpenTelemetry's own environment variables.
  const exporter = new DiscreetExporter(new otlp.OTLPTraceExporter());
  const provider = new node.NodeTracerProvider({
    // OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES take precedence. Host, user and command line are left out on purpose.
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
  flush = () => provider.shutdown().catch(() => undefined); // an unavailable collector must not delay the exit
}

if (isEnabled()) start();
