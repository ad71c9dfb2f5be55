// Builds the DataSources of all our databases.
import 'reflect-metadata';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { LIMITS, timeouts } from './limits.js';
import { Naming } from './naming.js';
import { watchedClientClass } from './watched-client.js';

const CONNECT_TIMEOUT_MS = 5_000;

export interface SourceOptions<Role extends string> {
  url: string;
  /** The role that every connection assumes; `owner`: the login of the URL itself (migrations). */
  role: Role;
  poolSize: number;
  applicationName?: string;
}

type Tables = Required<Pick<DataSourceOptions, 'entities' | 'migrations'>>;

/** A DataSource whose connections use `role`, within its limits, and are watched. */
export const postgresSource = ({
  url,
  role,
  poolSize,
  applicationName,
  entities,
  migrations,
}: SourceOptions<keyof typeof LIMITS | 'owner'> & Tables): DataSource =>
  new DataSource({
    type: 'postgres',
    url,
    entities,
    migrations,
    namingStrategy: new Naming(),
    migrationsTableName: 'migrations',
    migrationsTransactionMode: 'all',
    poolSize,
    installExtensions: false,
    connectTimeoutMS: CONNECT_TIMEOUT_MS,
    applicationName: applicationName ?? role,
    extra: role === 'owner' ? {} : sessionOf(role),
  });

/** Connection settings of a role. Pipelined, so that BEGIN, the scope and the first query take one round trip. */
function sessionOf(role: keyof typeof LIMITS): object {
  const limits = LIMITS[role];
  return { options: `-c role=${role}`, pipeline: true, ...timeouts(limits), Client: watchedClientClass({ ...limits }) };
}
