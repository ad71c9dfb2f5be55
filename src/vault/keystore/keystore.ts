// The keystore's SQL. Wrapped keys only: nothing in this database opens anything without the root key.
// Every statement commits by itself, so a key that this returns is on disk before its first use.
import { DatabaseError, type Pool, type QueryConfig, type QueryResult, type QueryResultRow } from 'pg';
import { AppError } from '../../common/errors.js';
import type { KekId } from '../root-key.js';

/**
 * What a data key seals, and who owns it:
 * `conversation`: everything of one conversation · `client`: free text and names of one client ·
 * `inbox`: payloads of one provider account and day (part) · `index`: blind indexes of one client ·
 * `identity`: provider ids of one provider account
 */
export type KeyPurpose = 'conversation' | 'client' | 'inbox' | 'index' | 'identity';

/** `owner` is a uuid; `part` is empty but for `inbox`, where it is the day, YYYY-MM-DD. */
export interface KeyId {
  purpose: KeyPurpose;
  owner: string;
  part: string;
}

/** A key-encryption key: wrapped by the root key, or destroyed. */
export type KekRow = KekId & ({ wrapped: Buffer; destroyedAt: null } | { wrapped: null; destroyedAt: Date });

/** A data key with the key-encryption key it is wrapped by; `kek` is null if that row is missing. */
export type DataKeyRow = KeyId &
  KekId &
  ({ wrapped: Buffer; destroyedAt: null } | { wrapped: null; destroyedAt: Date }) & {
    kek: Buffer | null;
    kekDestroyedAt: Date | null;
    /** Its conversation was found not to exist. Before its use, {@link Keystore.unmark} must keep it from being deleted. */
    isMarked: boolean;
  };

const SELECT_DATA_KEYS = `
  SELECT d.purpose, d.owner, d.part, d.client_id AS "clientId", d.epoch, d.wrapped, d.destroyed_at AS "destroyedAt",
         k.wrapped AS kek, k.destroyed_at AS "kekDestroyedAt", d.marked_for_deletion_at IS NOT NULL AS "isMarked"
  FROM data_keys d LEFT JOIN keks k USING (client_id, epoch)`;

const LIVE_CONVERSATION_KEYS = "purpose = 'conversation' AND part = '' AND wrapped IS NOT NULL";
/** Longer than any process serves a key from memory. */
const MARKED_LONG_AGO = "marked_for_deletion_at < now() - interval '30 minutes'";

/** Connection lost or refused, server starting or stopping, no free connection: worth trying again later. */
const UNAVAILABLE_CLASSES = ['08', '53', '57'];

/** All methods throw AppError `keystore_unavailable` when the database cannot be reached; other errors come through. */
export class Keystore {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
    // An idle connection that breaks is replaced by the pool; unheard, its event would end the process.
    pool.on('error', () => undefined);
  }

  async ping(): Promise<void> {
    await this.#query({ text: 'SELECT 1' });
  }

  async isEmpty(): Promise<boolean> {
    const text = 'SELECT NOT EXISTS (SELECT FROM keks) AND NOT EXISTS (SELECT FROM data_keys) AS empty';
    const { rows } = await this.#query<{ empty: boolean }>({ text });
    return rows[0]?.empty === true;
  }

  /** Any live key-encryption key, to try the root key on. */
  async someKek(): Promise<KekRow | undefined> {
    const text = `SELECT client_id AS "clientId", epoch, wrapped, destroyed_at AS "destroyedAt"
      FROM keks WHERE destroyed_at IS NULL ORDER BY client_id, epoch LIMIT 1`;
    return (await this.#query<KekRow>({ text })).rows[0];
  }

  async findKek({ clientId, epoch }: KekId): Promise<KekRow | undefined> {
    const text = `SELECT client_id AS "clientId", epoch, wrapped, destroyed_at AS "destroyedAt"
      FROM keks WHERE client_id = $1 AND epoch = $2`;
    return (await this.#query<KekRow>({ text, values: [clientId, epoch] })).rows[0];
  }

  /** Does nothing when there is one already, live or destroyed: read it again afterwards. */
  async addKek({ clientId, epoch }: KekId, wrapped: Buffer): Promise<void> {
    const text = 'INSERT INTO keks (client_id, epoch, wrapped) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING';
    await this.#query({ text, values: [clientId, epoch, wrapped] });
  }

  /** Keys of one purpose and part, in no order; owners without one are left out. */
  async findDataKeys(purpose: KeyPurpose, owners: readonly string[], part = ''): Promise<DataKeyRow[]> {
    const name = 'vault_find_data_keys';
    const text = `${SELECT_DATA_KEYS} WHERE d.purpose = $1 AND d.owner = ANY($2::uuid[]) AND d.part = $3`;
    return (await this.#query<DataKeyRow>({ name, text, values: [purpose, owners, part] })).rows;
  }

  async findDataKey({ purpose, owner, part }: KeyId): Promise<DataKeyRow | undefined> {
    const name = 'vault_find_data_key';
    const text = `${SELECT_DATA_KEYS} WHERE d.purpose = $1 AND d.owner = $2 AND d.part = $3`;
    return (await this.#query<DataKeyRow>({ name, text, values: [purpose, owner, part] })).rows[0];
  }

  /**
   * True when this key is now the one; false when there was one already, live or destroyed, or when the
   * key-encryption key was destroyed meanwhile (a key under it would be lost).
   */
  async addDataKey(id: KeyId, kek: KekId, wrapped: Buffer): Promise<boolean> {
    const name = 'vault_add_data_key';
    const text = `
      INSERT INTO data_keys (purpose, owner, part, client_id, epoch, wrapped)
      SELECT $1, $2, $3, client_id, epoch, $6 FROM keks WHERE client_id = $4 AND epoch = $5 AND destroyed_at IS NULL
      ON CONFLICT DO NOTHING`;
    const values = [id.purpose, id.owner, id.part, kek.clientId, kek.epoch, wrapped];
    return (await this.#query({ name, text, values })).rowCount === 1;
  }

  /**
   * Leaves a tombstone, also where no key was yet, so that none is made later. Returns the time of the first
   * destruction. `orphan` fills the columns of a key that never was.
   */
  async destroyDataKey(id: KeyId, orphan: KekId): Promise<Date> {
    const text = `
      INSERT INTO data_keys (purpose, owner, part, client_id, epoch, destroyed_at) VALUES ($1, $2, $3, $4, $5, now())
      ON CONFLICT ON CONSTRAINT data_keys_pkey
        DO UPDATE SET wrapped = NULL, marked_for_deletion_at = NULL, destroyed_at = coalesce(data_keys.destroyed_at, now())
      RETURNING destroyed_at AS "destroyedAt"`;
    const values = [id.purpose, id.owner, id.part, orphan.clientId, orphan.epoch];
    const { rows } = await this.#query<{ destroyedAt: Date }>({ text, values });
    const [row] = rows;
    if (row === undefined) throw new Error('destroying a key returned no row');
    return row.destroyedAt;
  }

  /** Live inbox keys of days before `day`, oldest first. */
  async inboxKeysBefore(day: string): Promise<KeyId[]> {
    const text = `SELECT purpose, owner, part FROM data_keys
      WHERE purpose = 'inbox' AND part COLLATE "C" < $1 AND destroyed_at IS NULL ORDER BY part, owner`;
    return (await this.#query<KeyId>({ text, values: [day] })).rows;
  }

  /** Owners of live keys of conversations that are more than a day old, downwards from below `owner`. */
  keyedConversations(owner: string, limit: number): Promise<string[]> {
    const text = `SELECT owner FROM data_keys WHERE ${LIVE_CONVERSATION_KEYS} AND owner < $1 AND marked_for_deletion_at IS NULL
      AND created_at < now() - interval '1 day' ORDER BY owner DESC LIMIT $2`;
    return this.#owners(text, [owner, limit]);
  }

  /** Resolves with how many keys this call marked. */
  async markForDeletion(owners: string[]): Promise<number> {
    const text = `UPDATE data_keys SET marked_for_deletion_at = now() WHERE ${LIVE_CONVERSATION_KEYS} AND owner = ANY($1::uuid[])
      AND marked_for_deletion_at IS NULL AND created_at < now() - interval '1 day'`;
    return (await this.#query({ text, values: [owners] })).rowCount ?? 0;
  }

  /** Keeps live keys, marked or not. Resolves with how many it found: a key that was deleted meanwhile is not among them. */
  async unmark(owners: string[]): Promise<number> {
    const text = `UPDATE data_keys SET marked_for_deletion_at = NULL WHERE ${LIVE_CONVERSATION_KEYS} AND owner = ANY($1::uuid[])`;
    return (await this.#query({ text, values: [owners] })).rowCount ?? 0;
  }

  /** Owners of keys that were marked over half an hour ago and have not been asked for since. */
  markedConversations(limit: number): Promise<string[]> {
    return this.#owners(`SELECT owner FROM data_keys WHERE ${LIVE_CONVERSATION_KEYS} AND ${MARKED_LONG_AGO} LIMIT $1`, [
      limit,
    ]);
  }

  /** Deletes keys that were marked over half an hour ago and have not been asked for since, without a tombstone. Resolves with how many. */
  async sweepMarked(owners: string[]): Promise<number> {
    const text = `DELETE FROM data_keys WHERE ${LIVE_CONVERSATION_KEYS} AND ${MARKED_LONG_AGO} AND owner = ANY($1::uuid[])`;
    return (await this.#query({ text, values: [owners] })).rowCount ?? 0;
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }

  async #owners(text: string, values: unknown[]): Promise<string[]> {
    return (await this.#query<{ owner: string }>({ text, values })).rows.map(({ owner }) => owner);
  }

  async #query<Row extends QueryResultRow>(query: QueryConfig): Promise<QueryResult<Row>> {
    try {
      return await this.#pool.query<Row>(query);
    } catch (cause) {
      if (cause instanceof DatabaseError && !UNAVAILABLE_CLASSES.some((start) => cause.code?.startsWith(start))) {
        throw cause;
      }
      // What is not the server's answer is pg's word on the connection: refused, broken, timed out, pool closed.
      throw new AppError('keystore_unavailable', 'The keystore cannot be reached', { cause });
    }
  }
}
