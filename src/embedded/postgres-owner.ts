// Who owns the databases of the embedded cluster, and the passwords of those who log in: the superuser makes them at each start
// and has no further part in it. A cluster of an earlier version, where all belonged to the superuser, becomes one like that.
import { createHmac } from 'node:crypto';
import pg from 'pg';

/** Migrates; no superuser. */
export const OWNER = 'colloquy_owner';

/** Always the same one for a login of this cluster, and none of them gives away another or the superuser's. */
export const passwordOf = (login: string, superuserPassword: string): string =>
  createHmac('sha256', superuserPassword).update(login).digest('hex');

/** Makes databases and their owner, where they are missing. `url` is the superuser's for one database. */
export async function prepareOwner(
  url: (database: string) => string,
  databases: readonly string[],
  password: string,
): Promise<void> {
  await asSuperuser(url('postgres'), async (client) => {
    const roles = await client.query<{ rolname: string }>('select rolname from pg_roles');
    const existing = new Set(roles.rows.map(({ rolname }) => rolname));
    if (!existing.has(OWNER)) await client.query(`create role ${OWNER} login createrole`);
    await client.query(`alter role ${OWNER} password '${password}'`);
    for (const role of existing)
      if (role.startsWith('colloquy_') && role !== OWNER)
        await client.query(`grant ${role} to ${OWNER} with admin true, inherit false, set true`);
    for (const name of databases) {
      const found = await client.query('select from pg_database where datname = $1', [name]);
      const [verb, owner] = found.rowCount === 0 ? ['create', 'owner'] : ['alter', 'owner to'];
      await client.query(`${verb} database ${pg.escapeIdentifier(name)} ${owner} ${OWNER}`);
    }
  });
  for (const name of databases) await asSuperuser(url(name), (client) => client.query(TAKE_OVER));
}

// Sequences of identity columns follow their tables.
const TAKE_OVER = `
do $$ declare found record; begin
  for found in
    select format('alter table %s owner to ${OWNER}', c.oid::regclass) as statement from pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm') and c.relowner <> '${OWNER}'::regrole
    union all
    select format('alter routine %s owner to ${OWNER}', p.oid::regprocedure) from pg_proc p
    where p.pronamespace = 'public'::regnamespace and p.proowner <> '${OWNER}'::regrole
  loop
    execute found.statement;
  end loop;
end $$`;

async function asSuperuser(url: string, work: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}
