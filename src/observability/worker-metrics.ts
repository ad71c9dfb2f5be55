// The worker's metrics: its counters, what waits in the tables, its pool.
import type { Config } from '../config/config.js';
import { ConfigError } from '../config/config.js';
import type { WorkerDatabase } from '../database/database.js';
import type { SearchDatabase } from '../database/search/search-database.js';
import { Backlog } from './backlog.js';
import { Exposition } from './exposition.js';
import { serveMetrics, type MetricsServer } from './metrics-server.js';
import { watchPools } from './pool-gauges.js';

/** Serves `/metrics` if the settings name a port, else null. Throws {@link ConfigError} if the port is not available. */
export async function workerMetrics(
  { host, workerMetricsPort: port }: Config,
  database: WorkerDatabase,
  search: SearchDatabase,
): Promise<MetricsServer | null> {
  if (port === undefined) return null;
  const exposition: Exposition = new Exposition(() => backlog.refresh());
  const backlog = new Backlog(exposition.registry, database);
  watchPools(exposition.registry, { worker: database, search });
  return serveMetrics({ host, port }, () => exposition.text()).catch((cause: unknown) => {
    throw new ConfigError(`COLLOQUY_WORKER_METRICS_PORT: ${port} cannot be listened on`, { cause });
  });
}
