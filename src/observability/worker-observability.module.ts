import { Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { CONFIG } from '../config/config.module.js';
import { WorkerDatabase } from '../database/database.js';
import { SearchDatabase } from '../database/search/search-database.js';
import type { MetricsServer } from './metrics-server.js';
import { workerMetrics } from './worker-metrics.js';

/** Injection token of the worker's {@link MetricsServer}; null if the settings name no port. */
export const WORKER_METRICS = Symbol('worker metrics');

@Module({
  providers: [{ provide: WORKER_METRICS, inject: [CONFIG, WorkerDatabase, SearchDatabase], useFactory: workerMetrics }],
  exports: [WORKER_METRICS],
})
export class WorkerObservabilityModule implements OnApplicationShutdown {
  constructor(@Inject(WORKER_METRICS) private readonly metrics: MetricsServer | null) {}

  async onApplicationShutdown(): Promise<void> {
    await this.metrics?.close();
  }
}
