// The API on an installation's databases, called through Fastify's inject.
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { newSecret } from '../../src/access/api-key-secret.js';
import { createApp } from '../../src/app.setup.js';
import { Log } from '../../src/common/log.js';
import { call, type Called, type CallOptions } from '../http/http-app.js';
import { forApi } from './databases.js';
import type { Installation } from './installation.js';

export interface Api {
  app: NestFastifyApplication;
  adminKey: string;
  /** Supervisor, all clients. */
  readKey: string;
  /** Calls with the reading key unless `key` says otherwise. */
  call(method: string, url: string, options?: CallOptions): Promise<Called>;
  /** The secret of another supervisor's key, which has read nothing yet. */
  newReader(): Promise<string>;
  close(): Promise<void>;
}

const READER = { name: 'Reader', role: 'supervisor', client_ids: '*' };

export async function startApi({ config }: Installation): Promise<Api> {
  const [adminKey, readKey] = [newSecret(), newSecret()];
  const urls = {
    databaseUrl: forApi(config.databaseUrl ?? ''),
    keystoreDatabaseUrl: forApi(config.keystoreDatabaseUrl ?? ''),
    searchDatabaseUrl: forApi(config.searchDatabaseUrl ?? ''),
  };
  const settings = { ...config, ...urls, bootstrapKey: adminKey, bootstrapReadKey: readKey, rateLimit: 0 };
  const app = await createApp(settings, new Log('silent'));
  const fastify = app.getHttpAdapter().getInstance();
  return {
    app,
    adminKey,
    readKey,
    call: (method, url, options = {}) => call(fastify, readKey, { method, url, ...options }),
    newReader: async () => {
      const made = await call(fastify, adminKey, { method: 'POST', url: '/v1/api-keys', body: READER });
      return String(made.body['secret']);
    },
    close: () => app.close(),
  };
}
