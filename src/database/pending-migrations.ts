import type { DataSource } from 'typeorm';

/** Names of migrations that have not run, oldest first. Unlike TypeORM's own question it writes nothing. */
export async function pendingMigrations(source: DataSource): Promise<string[]> {
  const table = source.options.migrationsTableName ?? 'migrations';
  const [{ found }] = await source.query<[{ found: boolean }]>('select to_regclass($1) is not null as found', [table]);
  const done = found ? await source.query<{ name: string }[]>(`select name from ${source.driver.escape(table)}`) : [];
  const names = new Set(done.map(({ name }) => name));
  return source.migrations.map(({ name, constructor }) => name ?? constructor.name).filter((name) => !names.has(name));
}
