// Opens the vault of a process.
import { existsSync } from 'node:fs';
import { Pool } from 'pg';
import { LIMITS, timeouts } from '../database/limits.js';
import { watchedClientClass } from '../database/watched-client.js';
import type { KeystoreRole } from './keystore/keystore-data-source.js';
import { Keystore } from './keystore/keystore.js';
import { createRootKey, fileRootKey } from './root-key.js';
import { VaultService } from './vault.service.js';

export { createRootKey };

interface VaultSettings {
  keystoreUrl: string;
  /** Absolute path of the root key. */
  rootKeyFile: string;
  maxConnections?: number;
  /** Role that every connection assumes; absent: the role of the URL's login. */
  role?: KeystoreRole;
}

/**
 * Connects to the (migrated) keystore, reads the root key and checks that they belong together.
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
    Client: watchedClientClass({ ...LIMITS.keystore }),
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

/** For `npm run up`: creates a root key if the keystore is empty. If it holds keys, a missing file is an error of openVault(). */
export async function ensureRootKey({ keystoreUrl, rootKeyFile }: VaultSettings): Promise<void> {
  if (existsSync(rootKeyFile)) return;
  const keystore = new Keystore(new Pool({ connectionString: keystoreUrl, max: 1 }));
  try {
    if (await keystore.isEmpty()) await createRootKey(rootKeyFile);
  } finally {
    await keystore.close();
  }
}
