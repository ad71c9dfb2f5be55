// The API on its own databases, called through Fastify's inject: everything except the socket is real.
import { rm } from 'node:fs/promises';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import { Client } from 'pg';
import { inject } from 'vitest';
import { newSecret } from '../../src/access/api-key-secret.js';
import { createApp } from '../../src/app.setup.js';
import { Log } from '../../src/common/log.js';
import { parseConfig, type Config } from '../../src/config/config.js';
import { createTestDatabases, type TestDatabases } from '../support/databases.js';
import { newRootKey } from '../support/root-key.js';

export interface Called {
  status: number;
  headers: Record<string, string | undefined>;
  // Untyped, so that tests can read any field; another test checks responses against the OpenAPI document.
  body: Record<string, unknown>;
  text: string;
}

export interface CallOptions {
  key?: string | null;
  /** Source address; default 127.0.0.1. */
  address?: string;
  body?: unknown;
  headers?: Record<string, string>;
}

export interface HttpApp {
  app: NestFastifyApplication;
  fastify: FastifyInstance;
  databaseUrl: string;
  /** Its settings, for another process on the same databases. */
  env: Record<string, string>;
  /** For a worker on the same databases. */
  workerConfig: Config;
  /** Its log output so far. */
  logged(): Record<string, unknown>[];
  /** All clients. */
  adminKey: string;
  /** Supervisor, all clients. */
  readKey: string;
  /** Calls as admin unless `key` says otherwise; null: without a key. */
  call(method: string, url: string, options?: CallOptions): Promise<Called>;
  /** Runs one statement as the owner of the tables. */
  sql<Row extends object>(text: string, values?: unknown[]): Promise<Row[]>;
  stop(): Promise<void>;
}

type Settings = Record<string, string>;

/** Starts an API; `env` overrides settings. `{ ...other.env }` starts it on the databases of another one. */
export async function startHttpApp(env: Settings | ((databases: TestDatabases) => Settings) = {}): Promise<HttpApp> {
  const { postgresUrl, temporalAddress } = inject('services');
  const databases = await createTestDatabases(postgresUrl);
  const dataDir = mkdtempSync(join(tmpdir(), 'colloquy-http-'));
  newRootKey(dataDir);
  const settings = {
    COLLOQUY_DATA_DIR: dataDir,
    ...databases.settingsOf('api'),
    COLLOQUY_BOOTSTRAP_KEY: newSecret(),
    COLLOQUY_BOOTSTRAP_READ_KEY: newSecret(),
    TEMPORAL_ADDRESS: temporalAddress,
    // All callers of a spec share one address, so limits are off except where they are tested.
    COLLOQUY_RATE_LIMIT: '0',
    COLLOQUY_FAILED_AUTH_LIMIT: '0',
    LOG_LEVEL: 'info',
    ...(typeof env === 'function' ? env(databases) : env),
  };
  const { COLLOQUY_BOOTSTRAP_KEY: adminKey, COLLOQUY_BOOTSTRAP_READ_KEY: readKey } = settings;
  const config = parseConfig(settings);
  const lines: string[] = [];
  const app = await createApp(config, new Log(config.logLevel, { write: (line) => void lines.push(line) }));
  const owner = new Client({ connectionString: databases.databaseUrl });
  await owner.connect();
  const fastify = app.getHttpAdapter().getInstance();
  return {
    app,
    fastify,
    databaseUrl: databases.databaseUrl,
    env: settings,
    workerConfig: parseConfig({ ...settings, ...databases.settingsOf('worker') }),
    logged: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>),
    adminKey,
    readKey,
    call: (method, url, options = {}) => call(fastify, adminKey, { method, url, ...options }),
    sql: async <Row extends object>(text: string, values: unknown[] = []) =>
      (await owner.query<Row>(text, values)).rows,
    stop: async () => {
      await app.close();
      await owner.end();
      await databases.drop();
      await rm(dataDir, { recursive: true });
    },
  };
}

export async function call(
  fastify: FastifyInstance,
  adminKey: string,
  { method, url, key = adminKey, address, body, headers = {} }: CallOptions & { method: string; url: string },
): Promise<Called> {
  const response = await fastify.inject({
    method: method as 'GET',
    url,
    ...(address !== undefined && { remoteAddress: address }),
    headers: { ...(key !== null && { authorization: `Bearer ${key}` }), ...headers },
    ...(body !== undefined && { payload: body as object }),
  });
  const isJson = /json/.test(String(response.headers['content-type'])) && response.body !== '';
  return {
    status: response.statusCode,
    headers: response.headers as Record<string, string>,
    body: isJson ? response.json<Record<string, unknown>>() : {},
    text: response.body,
  };
}
