// The one place that builds a DataSource: for the processes (each as its role), the CLI and the tests.
import 'reflect-metadata';
import { DataSource } from 'typeorm';
import { LIMITS, timeouts } from './limits.js';
import { watchedBy } from './watched-client.js';
import { CreateRoles1800000000000 } from './migrations/1800000000000-create-roles.js';
import { CreateAdministration1800000000001 } from './migrations/1800000000001-create-administration.js';
import { CreateInbox1800000000002 } from './migrations/1800000000002-create-inbox.js';
import { CreateConversations1800000000003 } from './migrations/1800000000003-create-conversations.js';
import { CreateJournal1800000000004 } from './migrations/1800000000004-create-journal.js';
import { CreateReconciliation1800000000005 } from './migrations/1800000000005-create-reconciliation.js';
import { CreateProviderHealth1800000000006 } from './migrations/1800000000006-create-provider-health.js';

export type DatabaseRole = 'owner' | 'colloquy_api' | 'colloquy_ingest' | 'colloquy_worker';

const CONNECT_TIMEOUT_MS = 5_000;

interface DataSourceOptions {
  url: string;
  /** The role that every connection drops to at once; `owner` stays what the URL logs in as (migrations). */
  role: DatabaseRole;
  poolSize: number;
  applicationName?: string;
}

/** A DataSource whose connections work as `role`. Call `initialize()` before use. */
export function createDataSource({ url, role, poolSize, applicationName }: DataSourceOptions): DataSource {
  return new DataSource({
    type: 'postgres',
    url,
    entities: [],
    migrations: [
      CreateRoles1800000000000,
      CreateAdministration1800000000001,
      CreateInbox1800000000002,
      CreateConversations1800000000003,
      CreateJournal1800000000004,
      CreateReconciliation1800000000005,
      CreateProviderHealth1800000000006,
    ],
    migrationsTableName: 'migrations',
    migrationsTransactionMode: 'all',
    poolSize,
    installExtensions: false,
    connectTimeoutMS: CONNECT_TIMEOUT_MS,
    applicationName: applicationName ?? role,
    extra: role === 'owner' ? {} : sessionOf(role),
  });
}

/** What the connections of a process are like. Pipelined: BEGIN, the scope and the first query travel in one round trip. */
function sessionOf(role: Exclude<DatabaseRole, 'owner'>): object {
  const limits = LIMITS[role];
  return { options: `-c role=${role}`, pipeline: true, ...timeouts(limits), Client: watchedBy({ ...limits }) };
}
