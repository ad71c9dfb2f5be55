import type { QueryRunner } from 'typeorm';

const CONTENT_ROLES = { api: 'colloquy_api', worker: 'colloquy_worker' };

/**
 * Row-level security as the second barrier: the API sees the clients of its key, the worker sees all.
 * withScope() sets `app.scope` and `app.clients` for one transaction; if they are unset or empty, queries fail.
 * The sub-selects read the settings once per query instead of once per row (an InitPlan).
 */
export async function isolate(
  runner: QueryRunner,
  table: string,
  column = 'client_id',
  { api, worker } = CONTENT_ROLES,
): Promise<void> {
  const inScope = `(select current_setting('app.scope')) = 'all'
    or ${column} = any ((select current_setting('app.clients'))::uuid[])`;
  await runner.query(`
    alter table ${table} enable row level security;
    alter table ${table} force row level security;
    create policy client_isolation on ${table} to ${api} using (${inScope}) with check (${inScope});
    create policy worker_sees_all on ${table} to ${worker} using (true) with check (true);
  `);
}

export async function forwardOnly(): Promise<void> {
  throw new Error('migrations go forward only');
}
