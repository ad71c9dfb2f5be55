// The real door alone: databases of its own, no worker, no Temporal.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Pool } from 'pg';
import { inject } from 'vitest';
import { Log } from '../../src/common/log.js';
import { createDataSource } from '../../src/database/data-source.js';
import { IngestDatabase } from '../../src/database/database.js';
import { Notifier } from '../../src/database/notifier.js';
import { Inbox } from '../../src/inbox/inbox.js';
import { WebhookHealth } from '../../src/inbox/webhook-health.js';
import { WebhookDoor } from '../../src/inbox/webhook-door.js';
import { ProviderAccounts } from '../../src/providers/provider-accounts.js';
import { openVault } from '../../src/vault/open-vault.js';
import { seedAccount, seedClient, type NewAccount } from './accounts.js';
import { createTestDatabases } from './databases.js';
import { newRootKey } from './root-key.js';

export interface Door {
  receive: WebhookDoor['receive'];
  /** An account of the one client; returns its uuid. */
  addAccount(account: NewAccount): Promise<string>;
  /** Superuser, to look at tables from outside. */
  sql: Pool;
  close(): Promise<void>;
}

export async function startDoor(): Promise<Door> {
  const databases = await createTestDatabases(inject('services').postgresUrl);
  const folder = mkdtempSync(join(tmpdir(), 'colloquy-door-'));
  const vault = await openVault({ keystoreUrl: databases.keystoreUrl, rootKeyFile: newRootKey(folder) });
  const ingest = new IngestDatabase(
    createDataSource({ url: databases.settingsOf('api').DATABASE_URL, role: 'colloquy_ingest', poolSize: 2 }),
  );
  await ingest.dataSource.initialize();
  const sql = new Pool({ connectionString: databases.databaseUrl, max: 2 });
  // Ended clients are cut a moment later, when their database is dropped: nobody waits for them any more.
  sql.on('error', () => undefined);
  const clientId = await seedClient({ sql, vault });
  const health = new WebhookHealth(ingest, new Log('silent'));
  const inbox = new Inbox(ingest, vault, new Notifier(ingest));
  const door = new WebhookDoor(new ProviderAccounts(ingest, vault), inbox, health);
  return {
    receive: (accountId, request) => door.receive(accountId, request),
    addAccount: (account) => seedAccount({ sql, vault }, clientId, account),
    sql,
    close: async () => {
      await health.close();
      await Promise.all([ingest.close(), vault.close(), sql.end()]);
      await databases.drop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
