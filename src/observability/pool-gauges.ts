// Gauges of this process's connection pools.
import { Gauge, type Registry } from 'prom-client';
import { poolUsage } from '../database/pool-usage.js';
import type { Database } from '../database/database.js';

/** Registers gauges over `pools`, read at scrape time. */
export function watchPools(registry: Registry, pools: Record<string, Database>): void {
  const registers = [registry];
  const connections = new Gauge({
    name: 'colloquy_db_pool_connections',
    help: 'Connections to PostgreSQL by pool and state',
    labelNames: ['pool', 'state'],
    registers,
    collect() {
      for (const [pool, { dataSource }] of Object.entries(pools)) {
        const { total, idle, waiting } = poolUsage(dataSource);
        connections.set({ pool, state: 'idle' }, idle);
        connections.set({ pool, state: 'in_use' }, total - idle);
        waits.set({ pool }, waiting);
      }
    },
  });
  const waits = new Gauge({
    name: 'colloquy_db_pool_waiting',
    help: 'Transactions waiting for a connection, by pool',
    labelNames: ['pool'],
    registers,
  });
}
