// The text of /metrics: counters, gauges that are read at scrape time, and metrics of the process itself.
import { collectDefaultMetrics, Registry } from 'prom-client';
import { registry as counted } from './metrics.js';

/** Prometheus text format 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats/). */
export const METRICS_CONTENT_TYPE = Registry.PROMETHEUS_CONTENT_TYPE;

let processRegistry: Registry | undefined;

/** Memory, event loop and garbage collection. One registry per process, because each further one would observe everything again. */
function processMetrics(): Registry {
  if (processRegistry === undefined) {
    processRegistry = new Registry();
    collectDefaultMetrics({ register: processRegistry });
  }
  return processRegistry;
}

export class Exposition {
  /** For gauges that are read at scrape time. */
  readonly registry = new Registry();
  private readonly process = processMetrics();

  /** `refresh` runs before each scrape. */
  constructor(private readonly refresh: () => Promise<void> = () => Promise.resolve()) {}

  async text(): Promise<string> {
    await this.refresh();
    const parts = [counted, this.registry, this.process].map((registry) => registry.metrics());
    return (await Promise.all(parts)).join('\n');
  }
}
