// The real webhook door alone: its own databases, no worker, no Temporal.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Pool } from 'pg';
import { inject } from 'vitest';
import type { WebhookDoor } from '../../src/inbox/webhook-door.js';
import { parseConfig } from '../../src/config/config.js';
import { openVault } from '../../src/vault/open-vault.js';
import { seedAccount, seedClient, type NewAccount } from './accounts.js';
import { createTestDatabases } from './databases.js';
import { openWebhookDoor } from './webhook-door.js';
import { newRootKey } from './root-key.js';

export interface Door {
  receive: WebhookDoor['receive'];
  /** Adds an account of the only client; returns its uuid. */
  addAccount(account: NewAccount): Promise<string>;
  /** Superuser, to inspect tables. */
  sql: Pool;
  close(): Promise<void>;
}

export async function startDoor(): Promise<Door> {
  const databases = await createTestDatabases(inject('services').postgresUrl);
  const folder = mkdtempSync(join(tmpdir(), 'colloquy-door-'));
  const rootKeyFile = newRootKey(folder);
  const vault = await openVault({ keystoreUrl: databases.keystoreUrl, rootKeyFile });
  const config = parseConfig({ COLLOQUY_DATA_DIR: folder, ...databases.settingsOf('api') });
  const { door, close } = await openWebhookDoor(config);
  const sql = new Pool({ connectionString: databases.databaseUrl, max: 2 });
  // Clients that have ended are cut a moment later when their database is dropped; that error is ignored.
  sql.on('error', () => undefined);
  const clientId = await seedClient({ sql, vault });
  return {
    receive: (accountId, request) => door.receive(accountId, request),
    addAccount: (account) => seedAccount({ sql, vault }, clientId, account),
    sql,
    close: async () => {
      await Promise.all([close(), vault.close(), sql.end()]);
      await databases.drop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
