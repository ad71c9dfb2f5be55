import type { DataSource } from 'typeorm';

export interface MigrationState {
  /** Names of migrations that have not run, oldest first. */
  pending: string[];
  /** True if migrations older than ours have run: an earlier version created this database, and its tables differ. */
  isFromEarlierVersion: boolean;
}

/**
 * Which migrations have run. Unlike TypeORM's own check it writes nothing. Migrations newer than ours are accepted: a later
 * version has migrated the database, and its processes can run beside ours.
 */
export async function migrationState(source: DataSource): Promise<MigrationState> {
  const ours = source.migrations.map(({ name, constructor }) => name ?? constructor.name);
  const first = Math.min(...ours.map(timestampOf));
  const ran = await namesIn(source);
  return {
    pending: ours.filter((name) => !ran.has(name)),
    isFromEarlierVersion: [...ran].some((name) => timestampOf(name) < first),
  };
}

/** The message for a database that {@link MigrationState.isFromEarlierVersion}; `name`: content or keystore. */
export const earlierVersionMessage = (name: string): string =>
  `the ${name} database was created by an earlier version, whose data cannot be migrated: start with empty databases, ` +
  'or an empty data folder (nothing was changed)';

async function namesIn(source: DataSource): Promise<Set<string>> {
  const table = source.options.migrationsTableName ?? 'migrations';
  const [{ found }] = await source.query<[{ found: boolean }]>('select to_regclass($1) is not null as found', [table]);
  const rows = found ? await source.query<{ name: string }[]>(`select name from ${source.driver.escape(table)}`) : [];
  return new Set(rows.map(({ name }) => name));
}

/** The name of a migration ends with its timestamp. */
const timestampOf = (name: string): number => Number(name.slice(-13));
