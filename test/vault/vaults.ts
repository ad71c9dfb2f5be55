// Vaults as of several processes on one keystore, for the tests of this folder.
import { Pool } from 'pg';
import type { DataKey } from '../../src/vault/data-key.js';
import { LocalRootKey } from '../../src/vault/root-key.js';
import { VaultService } from '../../src/vault/vault.service.js';
import { startKeystore } from './keystore-server.js';

export const ROOT = Buffer.alloc(32, 0x5a);
export const hex = (key: DataKey): string => key.use((bytes) => bytes.toString('hex'));

export type Vaults = Awaited<ReturnType<typeof startVaults>>;

/** A keystore on its own server. */
export async function startVaults() {
  const server = await startKeystore();
  const sql = new Pool({ connectionString: server.url, max: 2 });
  // end() does not wait until the server has noticed: the shutdown may still reach a connection.
  sql.on('error', () => undefined);
  const opened: VaultService[] = [];
  return {
    url: server.url,
    /** Connected as owner of the tables. */
    sql,
    /** A vault as another process would have it, with its own pool and cache. */
    vaultOf: ({ now }: { now?: () => Date } = {}): VaultService => {
      const pool = new Pool({ connectionString: server.url, max: 5 });
      const vault = new VaultService({ pool, rootKey: new LocalRootKey(ROOT, 'The root key'), ...(now && { now }) });
      opened.push(vault);
      return vault;
    },
    stop: async (): Promise<void> => {
      await Promise.all(opened.map((vault) => vault.close()));
      await sql.end();
      await server.stop();
    },
  };
}
