// Databases for one spec file: copies of migrated templates, made in milliseconds, alone to it.
import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { createDataSource } from '../../src/database/data-source.js';
import { keystoreDataSource } from '../../src/vault/keystore-data-source.js';

const CONTENT_TEMPLATE = 'template_content';
const KEYSTORE_TEMPLATE = 'template_keystore';

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

/** Migrates the two templates; once a run. */
export async function prepareTemplates(postgresUrl: string): Promise<void> {
  await withAdmin(postgresUrl, async (client) => {
    await client.query(`create database ${CONTENT_TEMPLATE}`);
    await client.query(`create database ${KEYSTORE_TEMPLATE}`);
  });
  const sources = [
    createDataSource({ url: urlOf(postgresUrl, CONTENT_TEMPLATE), role: 'owner', poolSize: 1 }),
    keystoreDataSource(urlOf(postgresUrl, KEYSTORE_TEMPLATE)),
  ];
  for (const source of sources) {
    await source.initialize();
    await source.runMigrations();
    await source.destroy();
  }
}

export interface TestDatabases {
  databaseUrl: string;
  keystoreUrl: string;
  drop(): Promise<void>;
}

/** A fresh content database and keystore. */
export async function createTestDatabases(postgresUrl: string): Promise<TestDatabases> {
  const suffix = randomBytes(6).toString('hex');
  const [content, keystore] = [`content_${suffix}`, `keystore_${suffix}`];
  await withAdmin(postgresUrl, async (client) => {
    await client.query(`create database ${content} template ${CONTENT_TEMPLATE} strategy file_copy`);
    await client.query(`create database ${keystore} template ${KEYSTORE_TEMPLATE} strategy file_copy`);
  });
  return {
    databaseUrl: urlOf(postgresUrl, content),
    keystoreUrl: urlOf(postgresUrl, keystore),
    drop: () =>
      withAdmin(postgresUrl, async (client) => {
        await client.query(`drop database ${content} with (force)`);
        await client.query(`drop database ${keystore} with (force)`);
      }),
  };
}
