import type { Pool } from 'pg';
import type { DataSource } from 'typeorm';
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js';

export interface PoolUsage {
  /** Open connections. */
  total: number;
  /** Open connections that are not in use. */
  idle: number;
  /** Transactions that wait for a connection. */
  waiting: number;
}

/** The current usage of a DataSource's pool; zeros before it is opened and after it is closed. */
export function poolUsage(source: DataSource): PoolUsage {
  const pool: Pool | undefined = (source.driver as PostgresDriver).master;
  return { total: pool?.totalCount ?? 0, idle: pool?.idleCount ?? 0, waiting: pool?.waitingCount ?? 0 };
}
