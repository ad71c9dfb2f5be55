// Connection settings of each process for the embedded PostgreSQL, each with its own login.
import { LOGINS } from '../../database/logins.js';
import { OWNER } from './postgres-owner.js';
import { urlAs, type EmbeddedPostgres } from './postgres.js';

/** The addresses of an installation's databases, by their settings. */
export interface DatabaseUrls {
  DATABASE_URL: string;
  KEYSTORE_DATABASE_URL: string;
  SEARCH_DATABASE_URL: string;
}

export interface DatabaseSettings {
  owner: DatabaseUrls;
  api: DatabaseUrls;
  worker: DatabaseUrls;
  /** Further settings of `colloquy migrate`. */
  migrate: Record<string, string>;
}

export function databaseSettings(server: Pick<EmbeddedPostgres, 'url' | 'passwordOf'>): DatabaseSettings {
  const as = (login: string): DatabaseUrls => ({
    DATABASE_URL: urlAs(server, login, 'colloquy'),
    KEYSTORE_DATABASE_URL: urlAs(server, login, 'colloquy_keystore'),
    SEARCH_DATABASE_URL: urlAs(server, login, 'colloquy_search'),
  });
  return {
    owner: as(OWNER),
    api: as(LOGINS.api),
    worker: as(LOGINS.worker),
    migrate: {
      COLLOQUY_API_LOGIN_PASSWORD: server.passwordOf(LOGINS.api),
      COLLOQUY_WORKER_LOGIN_PASSWORD: server.passwordOf(LOGINS.worker),
    },
  };
}
