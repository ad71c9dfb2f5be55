// Who owns the databases of the embedded cluster, and the passwords of those who log in: the superuser makes them at each start
// and has no further part in it.
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
    const found = await client.query('select from pg_roles where rolname = $1', [OWNER]);
    if (found.rowCount === 0) await client.query(`create role ${OWNER} login createrole`);
    await client.query(`alter role ${OWNER} password '${password}'`);
    for (const name of databases) {
      const made = await client.query('select from pg_database where datname = $1', [name]);
      if (made.rowCount === 0) await client.query(`create database ${pg.escapeIdentifier(name)} owner ${OWNER}`);
    }
  });
}

async function asSuperuser(url: string, work: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}
