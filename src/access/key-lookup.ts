// Reads keys from the database by the hash of their secret. Concurrent look-ups share one statement and one connection, so
// that a flood of invented keys never exhausts the connection pool.
import { publicId } from '../common/ids.js';
import { Batcher } from '../common/batcher.js';
import type { Database } from '../database/database.js';
import type { KnownCaller } from './caller.js';
import { rightsOf, type Role } from './rights.js';

interface KeyRow {
  secret_hash: Buffer;
  is_retired: boolean;
  id: string;
  role: Role;
  all_clients: boolean;
  client_ids: string[];
  scopes: string[];
  expires_at: Date | null;
  revoked_at: Date | null;
  awaiting_approval: boolean;
}

/** The key that has this secret, or had it before a rotation. */
export interface FoundKey {
  caller: KnownCaller;
  /** The key has another secret now. */
  isRetired: boolean;
  isRevoked: boolean;
  /** Epoch milliseconds. */
  expiresAt: number | null;
}

const KEY = 'id, role, all_clients, client_ids, scopes, expires_at, revoked_at, awaiting_approval';
const FIND = `
select hash as secret_hash, false as is_retired, ${KEY} from api_keys where hash = any($1)
union all
select retired.hash, true, ${KEY} from retired_api_key_secrets as retired join api_keys on api_keys.id = api_key_id
where retired.hash = any($1)`;

const LIMITS = { maxItems: 64, concurrency: 1 };

/** Looks keys up, one statement at a time. Resolves with null for an unknown hash; throws `storage_unavailable`. */
export function keyLookup(database: Database): (hash: Buffer) => Promise<FoundKey | null> {
  const batcher = new Batcher<Buffer, FoundKey | null>(async (hashes) => {
    const rows = await database.once<KeyRow>('all', { name: 'api_keys', text: FIND, values: [hashes] });
    // A retired secret is refused even if another key has the same hash.
    const found = new Map<string, FoundKey>();
    for (const row of rows) {
      const name = row.secret_hash.toString('base64');
      if (row.is_retired || !found.has(name)) found.set(name, foundKey(row));
    }
    return hashes.map((hash) => found.get(hash.toString('base64')) ?? null);
  }, LIMITS);
  return (hash) => batcher.add(hash);
}

const foundKey = (row: KeyRow): FoundKey => ({
  caller: {
    keyId: row.id,
    keyName: publicId('apiKey', row.id),
    role: row.role,
    clients: row.all_clients ? 'all' : row.client_ids,
    rights: rightsOf(row.role, row.scopes),
    secretHash: row.secret_hash,
    isAwaitingApproval: row.awaiting_approval,
  },
  isRetired: row.is_retired,
  isRevoked: row.revoked_at !== null,
  expiresAt: row.expires_at?.getTime() ?? null,
});
