// Inserts clients and provider accounts, as the administration does.
import type { Pool } from 'pg';
import { newUuid } from '../../src/common/ids.js';
import { sealAccount, type AccountSecrets, type Deadlines } from '../../src/providers/provider-accounts.js';
import { sealJson } from '../../src/vault/sealing/sealing.js';
import type { VaultService } from '../../src/vault/vault.service.js';

interface Place {
  sql: Pool;
  vault: VaultService;
}

/** Inserts a client; returns its uuid. */
export async function seedClient({ sql, vault }: Place): Promise<string> {
  const clientId = newUuid();
  const key = await vault.clientKey(clientId);
  await sql.query('insert into clients (id, sealed) values ($1, $2)', [
    clientId,
    sealJson(key, `client:${clientId}`, { name: 'test' }),
  ]);
  return clientId;
}

export interface NewAccount extends Partial<Omit<AccountSecrets, 'api_key'>> {
  provider: string;
  api_key: string;
  /** Seconds. */
  deadlines?: Partial<Deadlines>;
}

/** Inserts an account of a client; returns its uuid. */
export async function seedAccount({ sql, vault }: Place, clientId: string, account: NewAccount): Promise<string> {
  const accountId = newUuid();
  const { provider, deadlines = {}, ...given } = account;
  const secrets = { name: 'test', webhook_secret: null, base_url: null, agent_clients: [], ...given };
  await sql.query(
    'insert into provider_accounts (id, client_id, provider, sealed, deadlines) values ($1, $2, $3, $4, $5)',
    [...[accountId, clientId, provider, sealAccount(await vault.clientKey(clientId), accountId, secrets), deadlines]],
  );
  return accountId;
}
