// Databases for one spec file alone: copies of migrated templates, made in milliseconds.
import { randomBytes } from 'node:crypto';
import { Client, Pool } from 'pg';
import { createDataSource } from '../../src/database/data-source.js';
import { LOGINS, setPasswords, type ProcessName } from '../../src/database/logins.js';
import { OWNER, prepareOwner } from '../../src/embedded/postgres/postgres-owner.js';
import { searchDataSource } from '../../src/database/search/search-data-source.js';
import { keystoreDataSource } from '../../src/vault/keystore/keystore-data-source.js';

const CONTENT_TEMPLATE = 'template_content';
const KEYSTORE_TEMPLATE = 'template_keystore';
const SEARCH_TEMPLATE = 'template_search';

const urlOf = (postgresUrl: string, database: string): string => {
  const url = new URL(postgresUrl);
  url.pathname = `/${database}`;
  return url.toString();
};

async function withAdmin(postgresUrl: string, work: (client: Client) => Promise<void>): Promise<void> {
  const client = new Client({ connectionString: postgresUrl });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}

/** Password of every login except the superuser. */
const PASSWORD = 'password-of-every-login';

/** The URL of the same database with another login. */
export function asLogin(databaseUrl: string, login: string): string {
  const url = new URL(databaseUrl);
  [url.username, url.password] = [login, PASSWORD];
  return url.toString();
}

/** The same setting or URL for the API: an installation's settings contain the worker's login. */
export const forApi = (setting: string): string => setting.replace(LOGINS.worker, LOGINS.api);

/** The URL of the same database with this run's superuser. */
export function asSuperuser(postgresUrl: string, databaseUrl: string): string {
  return urlOf(postgresUrl, new URL(databaseUrl).pathname.slice(1));
}

/** Migrates the templates as their owner, who is no superuser; once per run. */
export async function prepareTemplates(postgresUrl: string): Promise<void> {
  await prepareOwner(
    (database) => urlOf(postgresUrl, database),
    [CONTENT_TEMPLATE, KEYSTORE_TEMPLATE, SEARCH_TEMPLATE],
    PASSWORD,
  );
  const sources = [
    createDataSource({
      url: asLogin(urlOf(postgresUrl, CONTENT_TEMPLATE), OWNER),
      role: 'owner',
      poolSize: 1,
    }),
    keystoreDataSource(asLogin(urlOf(postgresUrl, KEYSTORE_TEMPLATE), OWNER)),
    searchDataSource({ url: asLogin(urlOf(postgresUrl, SEARCH_TEMPLATE), OWNER), role: 'owner', poolSize: 1 }),
  ];
  for (const source of sources) {
    await source.initialize();
    await source.runMigrations();
    await setPasswords(source, { api: PASSWORD, worker: PASSWORD });
    await source.destroy();
  }
}

/** A pool for tests to look at tables. */
export function outsidePool(databaseUrl: string): Pool {
  const sql = new Pool({ connectionString: databaseUrl, max: 4 });
  // Clients that have ended are cut a moment later when their database is dropped; that error is ignored.
  sql.on('error', () => undefined);
  return sql;
}

export interface TestDatabases {
  /** Superuser, to prepare and inspect tables. */
  databaseUrl: string;
  keystoreUrl: string;
  searchUrl: string;
  /** Settings for the processes of an installation. */
  settingsOf: (process: ProcessName) => {
    DATABASE_URL: string;
    KEYSTORE_DATABASE_URL: string;
    SEARCH_DATABASE_URL: string;
  };
  drop(): Promise<void>;
}

/** Fresh databases of an installation; the search database may be on another server, which has its own templates. */
export async function createTestDatabases(postgresUrl: string, searchServer = postgresUrl): Promise<TestDatabases> {
  const suffix = randomBytes(6).toString('hex');
  const made = [
    { server: postgresUrl, name: `content_${suffix}`, template: CONTENT_TEMPLATE },
    { server: postgresUrl, name: `keystore_${suffix}`, template: KEYSTORE_TEMPLATE },
    { server: searchServer, name: `search_${suffix}`, template: SEARCH_TEMPLATE },
  ];
  const onEach = async (statementOf: (database: (typeof made)[number]) => string): Promise<void> => {
    for (const database of made)
      await withAdmin(database.server, async (client) => void (await client.query(statementOf(database))));
  };
  await onEach(({ name, template }) => `create database ${name} template ${template} strategy file_copy`);
  const [databaseUrl = '', keystoreUrl = '', searchUrl = ''] = made.map(({ server, name }) => urlOf(server, name));
  return {
    databaseUrl,
    keystoreUrl,
    searchUrl,
    settingsOf: (process) => ({
      DATABASE_URL: asLogin(databaseUrl, LOGINS[process]),
      KEYSTORE_DATABASE_URL: asLogin(keystoreUrl, LOGINS[process]),
      SEARCH_DATABASE_URL: asLogin(searchUrl, LOGINS[process]),
    }),
    drop: () => onEach(({ name }) => `drop database ${name} with (force)`),
  };
}
