// The owner of the embedded databases, and the passwords of the logins. The superuser sets them at each start and is not used
// otherwise.
import { createHmac } from 'node:crypto';
import pg from 'pg';

/** Owns the databases and runs migrations; not a superuser. */
export const OWNER = 'colloquy_owner';

/** A fixed password per login of this cluster; none of them reveals another one or the superuser's. */
export const passwordOf = (login: string, superuserPassword: string): string =>
  createHmac('sha256', superuserPassword).update(login).digest('hex');

/** Creates missing databases and their owner. `url`: the superuser's connection string for a database. */
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
