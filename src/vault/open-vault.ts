import { Pool } from 'pg';
import { LIMITS, timeouts } from '../database/limits.js';
import { watchedBy } from '../database/watched-client.js';
import type { KeystoreRole } from './keystore-data-source.js';
import { Keystore } from './keystore.js';
import { fileRootKey } from './root-key.js';
import { VaultService } from './vault.service.js';

interface VaultSettings {
  keystoreUrl: string;
  /** Absolute path of the root key; made when absent and the keystore is empty. */
  rootKeyFile: string;
  maxConnections?: number;
  /** What every connection becomes at once; absent: it stays what the URL logs in as. */
  role?: KeystoreRole;
}

/**
 * The vault of a process: connects to the (migrated) keystore, reads the root key and checks that they belong together.
 * Throws VaultError `root_key` with one sentence for the operator, or AppError `keystore_unavailable`.
 */
export async function openVault({
  keystoreUrl,
  rootKeyFile,
  maxConnections = 10,
  role,
}: VaultSettings): Promise<VaultService> {
  const pool = new Pool({
    connectionString: keystoreUrl,
    max: maxConnections,
    connectionTimeoutMillis: 3_000,
    ...(role && { options: `-c role=${role}` }),
    ...timeouts(LIMITS.keystore),
    Client: watchedBy({ ...LIMITS.keystore }),
  });
  try {
    const rootKey = await fileRootKey(rootKeyFile, () => new Keystore(pool).isEmpty());
    const vault = new VaultService({ pool, rootKey });
    await vault.verifyRootKey();
    return vault;
  } catch (error) {
    await pool.end();
    throw error;
  }
}
