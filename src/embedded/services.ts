// The processes of an installation as services of the supervisor, in start order.
import { join } from 'node:path';
import type { Config } from '../config/config.js';
import type { NodeServiceOptions } from './node-service.js';
import { nodeService } from './node-service.js';
import type { EmbeddedPostgres } from './postgres/postgres.js';
import { startPostgres } from './postgres/postgres.js';
import type { Service } from './supervisor.js';
import type { EmbeddedTemporal, TemporalOptions } from './temporal/temporal.js';
import { startTemporal } from './temporal/temporal.js';

/**
 * API, worker and simulators stop in parallel: the API gives requests in flight 7.5 s, the worker its activities 7 s. Then
 * Temporal and PostgreSQL stop, also in parallel. In the worst case everything ends within 9.9 s.
 */
export const PROGRAM_STOP_MS = 8_000;
const SERVER_STOP_MS = 1_400;

/** A service that other processes connect to; it keeps its port when restarted. */
export interface ServerService<Server> extends Service {
  /** The server of the last successful start. */
  current(): Server;
}

/** Embedded PostgreSQL in `<data folder>/postgres`. The caller holds the folder's lock. */
export function postgresService(dataDir: string, log: string): ServerService<EmbeddedPostgres> {
  let server: EmbeddedPostgres | undefined;
  return {
    name: 'PostgreSQL',
    log,
    stop: { signal: 'SIGINT', waitMs: SERVER_STOP_MS, urgent: 'SIGQUIT', together: 'servers' },
    current: () => started(server),
    start: async (onSpawn) => {
      const again = server === undefined ? {} : { port: server.port };
      server = await startPostgres({ dataDir: join(dataDir, 'postgres'), log, running: 'stop', onSpawn, ...again });
    },
  };
}

/** Embedded Temporal with its database in `<data folder>/temporal`. */
export function temporalService(options: {
  dataDir: string;
  binary: string;
  namespace: string;
  log: string;
}): ServerService<EmbeddedTemporal> {
  const { dataDir, binary, namespace, log } = options;
  const dbFile = join(dataDir, 'temporal', 'temporal.db');
  let server: EmbeddedTemporal | undefined;
  return {
    name: 'Temporal',
    log,
    stop: { signal: 'SIGINT', waitMs: SERVER_STOP_MS, together: 'servers' },
    current: () => started(server),
    start: async (onSpawn) => {
      const again: Partial<TemporalOptions> =
        server === undefined ? {} : { port: server.port, uiPort: server.uiPort ?? false };
      server = await startTemporal({ binary, dbFile, namespaces: [namespace], log, onSpawn, ...again });
    },
  };
}

type Program = Pick<NodeServiceOptions, 'env' | 'log'> & { root: string };

/** The API process; ready when `/readyz` answers 200. */
export const apiService = ({ root, env, log }: Program, apiUrl: string): Service =>
  nodeService({
    name: 'the API',
    args: [join(root, 'dist/src/main.js')],
    env,
    log,
    stopMs: PROGRAM_STOP_MS,
    together: 'programs',
    isReady: async () => await answersOk(`${apiUrl}/readyz`),
  });

/** The worker process has no port: it is ready when its log says so, or after 5 s if its log level hides that line. */
export const workerService = ({ root, env, log }: Program, logLevel: Config['logLevel']): Service => {
  const logsReady = ['info', 'debug', 'trace'].includes(logLevel);
  return nodeService({
    name: 'the worker',
    args: [join(root, 'dist/src/worker.js')],
    env,
    log,
    stopMs: PROGRAM_STOP_MS,
    together: 'programs',
    isReady: (output, runningMs) => output.includes('"worker ready"') || (!logsReady && runningMs > 5_000),
  });
};

function started<Server>(server: Server | undefined): Server {
  if (server === undefined) throw new Error('the server has not been started');
  return server;
}

async function answersOk(url: string): Promise<boolean> {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(2_000) })).ok;
  } catch {
    // Not listening yet; the caller also waits for the exit of the process.
    return false;
  }
}
