// From a secret to its key. A key is held for 5 s: changes made by this process count at once, those of others within 5 s.
import { timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { AppError } from '../common/errors.js';
import { publicId } from '../common/ids.js';
import { ApiDatabase } from '../database/database.js';
import { hashOf, isWellFormed } from './api-key-secret.js';
import type { Caller } from './caller.js';
import { rightsOf, type Role } from './rights.js';

const HELD_MS = 5_000;
/** More keys than this are not held at once: the directory empties itself. */
const MAX_HELD = 10_000;

interface KeyRow {
  id: string;
  role: Role;
  all_clients: boolean;
  client_ids: string[];
  scopes: string[];
  hash: Buffer;
  expires_at: Date | null;
  revoked_at: Date | null;
}

interface Held {
  caller: Caller;
  hash: Buffer;
  expiresAt: number | null;
  revoked: boolean;
  at: number;
}

const FIND =
  'select id, role, all_clients, client_ids, scopes, hash, expires_at, revoked_at from api_keys where hash = $1';

@Injectable()
export class KeyDirectory {
  private readonly held = new Map<string, Held>();
  /** Goes up when keys change, so that a look-up under way does not put the old state back. */
  private generation = 0;

  constructor(private readonly database: ApiDatabase) {}

  /** The caller behind a secret. Throws `unauthenticated`, `key_expired`, `key_revoked`, `storage_unavailable`. */
  async find(secret: string): Promise<Caller> {
    if (!isWellFormed(secret)) throw unknownKey();
    const hash = hashOf(secret);
    const name = hash.toString('base64');
    const known = this.held.get(name);
    const key = known !== undefined && Date.now() - known.at < HELD_MS ? known : await this.read(name, hash);
    if (!timingSafeEqual(key.hash, hash)) throw unknownKey();
    if (key.revoked) throw new AppError('key_revoked', 'this API key was revoked');
    if (key.expiresAt !== null && key.expiresAt <= Date.now()) {
      throw new AppError('key_expired', 'this API key has expired');
    }
    return key.caller;
  }

  /** Forgets all keys: call after a key was changed. */
  changed(): void {
    this.generation += 1;
    this.held.clear();
  }

  private async read(name: string, hash: Buffer): Promise<Held> {
    const { generation } = this;
    const [row] = await this.database.withScope('all', (tx) =>
      tx.query<KeyRow>({ name: 'api_key', text: FIND, values: [hash] }),
    );
    if (row === undefined) {
      this.held.delete(name);
      throw unknownKey();
    }
    const key = heldOf(row);
    if (this.held.size >= MAX_HELD) this.held.clear();
    if (generation === this.generation) this.held.set(name, key);
    return key;
  }
}

const heldOf = (row: KeyRow): Held => ({
  caller: {
    keyId: row.id,
    keyName: publicId('apiKey', row.id),
    role: row.role,
    clients: row.all_clients ? 'all' : row.client_ids,
    rights: rightsOf(row.role, row.scopes),
  },
  hash: row.hash,
  expiresAt: row.expires_at?.getTime() ?? null,
  revoked: row.revoked_at !== null,
  at: Date.now(),
});

const unknownKey = (): AppError => new AppError('unauthenticated', 'the API key is missing or not known');
