import type { Pool } from 'pg';
import type { DataSource } from 'typeorm';
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js';

export interface PoolUse {
  /** Open connections, and how many of them are free. */
  total: number;
  idle: number;
  /** Transactions that wait for one. */
  waiting: number;
}

/** What the pool under a DataSource is doing now; zeros before it is opened and after its end. */
export function poolUse(source: DataSource): PoolUse {
  const pool: Pool | undefined = (source.driver as PostgresDriver).master;
  return { total: pool?.totalCount ?? 0, idle: pool?.idleCount ?? 0, waiting: pool?.waitingCount ?? 0 };
}
