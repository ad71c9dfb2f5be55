// The text of /metrics: what was counted, what is asked for now, and the process itself.
import { collectDefaultMetrics, Registry } from 'prom-client';
import { registry as counted } from './metrics.js';

/** Prometheus text format 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats/). */
export const METRICS_CONTENT_TYPE = Registry.PROMETHEUS_CONTENT_TYPE;

let watched: Registry | undefined;

/** Memory, event loop and garbage collection. Once a process: each call would observe everything again. */
function ofTheProcess(): Registry {
  if (watched === undefined) {
    watched = new Registry();
    collectDefaultMetrics({ register: watched });
  }
  return watched;
}

export class Exposition {
  /** For gauges that are asked at scrape time. */
  readonly registry = new Registry();
  private readonly process = ofTheProcess();

  /** `refresh` runs before each answer. */
  constructor(private readonly refresh: () => Promise<void> = () => Promise.resolve()) {}

  async text(): Promise<string> {
    await this.refresh();
    const parts = [counted, this.registry, this.process].map((registry) => registry.metrics());
    return (await Promise.all(parts)).join('\n');
  }
}
