// The keystore's SQL, except for the keys of conversations (conversation-key-table.ts). It stores wrapped keys only: without the
// root key nothing in this database opens anything. Every statement commits by itself, so a returned key is on disk before its
// first use.
import { DatabaseError, type Pool, type QueryConfig, type QueryResult, type QueryResultRow } from 'pg';
import { AppError } from '../../common/errors.js';
import type { KekId } from '../root-key.js';
import type { KeyPurpose } from './key-purposes.js';

/** `owner` is a uuid; `part` is the day (YYYY-MM-DD) of an `inbox` key and empty otherwise. */
export interface KeyId {
  purpose: KeyPurpose;
  owner: string;
  part: string;
}

/** A key-encryption key: wrapped by the root key, or destroyed. */
export type KekRow = KekId & ({ wrapped: Buffer; destroyedAt: null } | { wrapped: null; destroyedAt: Date });

/** The key-encryption key that a row's keys are wrapped by. */
export interface WrappingKek {
  /** Null: the row has none, or its key-encryption key is missing. */
  clientId: string | null;
  epoch: number | null;
  /** Null: destroyed or missing. */
  kek: Buffer | null;
  kekDestroyedAt: Date | null;
}

/** A data key with the key-encryption key it is wrapped by. */
export type DataKeyRow = KeyId &
  WrappingKek &
  ({ wrapped: Buffer; destroyedAt: null } | { wrapped: null; destroyedAt: Date });

/** Columns of {@link WrappingKek} of `keks k`. */
export const WRAPPING_KEK = 'k.client_id AS "clientId", k.epoch, k.wrapped AS kek, k.destroyed_at AS "kekDestroyedAt"';

/** SQLSTATE classes that mean unavailable: connection lost or refused, server starting or stopping, no free connection. */
const UNAVAILABLE_CLASSES = ['08', '53', '57'];

/** All methods throw AppError `keystore_unavailable` when the database cannot be reached; other errors come through. */
export class Keystore {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
    // The pool replaces a broken idle connection; without a listener its error event would end the process.
    pool.on('error', () => undefined);
  }

  async ping(): Promise<void> {
    await this.query({ text: 'SELECT 1' });
  }

  async isEmpty(): Promise<boolean> {
    const text = `SELECT NOT EXISTS (SELECT FROM keks) AND NOT EXISTS (SELECT FROM data_keys)
      AND NOT EXISTS (SELECT FROM conversation_keys) AS empty`;
    const { rows } = await this.query<{ empty: boolean }>({ text });
    return rows[0]?.empty === true;
  }

  /** Any live key-encryption key, to check the root key with. */
  async anyKek(): Promise<KekRow | undefined> {
    const text = `SELECT client_id AS "clientId", epoch, wrapped, destroyed_at AS "destroyedAt"
      FROM keks WHERE destroyed_at IS NULL ORDER BY client_id, epoch LIMIT 1`;
    return (await this.query<KekRow>({ text })).rows[0];
  }

  async findKek({ clientId, epoch }: KekId): Promise<KekRow | undefined> {
    const text = `SELECT client_id AS "clientId", epoch, wrapped, destroyed_at AS "destroyedAt"
      FROM keks WHERE client_id = $1 AND epoch = $2`;
    return (await this.query<KekRow>({ text, values: [clientId, epoch] })).rows[0];
  }

  /** Does nothing if there is one already, live or destroyed: read it again afterwards. */
  async addKek({ clientId, epoch }: KekId, wrapped: Buffer): Promise<void> {
    const text = 'INSERT INTO keks (client_id, epoch, wrapped) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING';
    await this.query({ text, values: [clientId, epoch, wrapped] });
  }

  async findDataKey({ purpose, owner, part }: KeyId): Promise<DataKeyRow | undefined> {
    const name = 'vault_find_data_key';
    const text = `
      SELECT d.purpose, d.owner, d.part, d.wrapped, d.destroyed_at AS "destroyedAt", ${WRAPPING_KEK}
      FROM data_keys d LEFT JOIN keks k ON k.id = d.kek_id WHERE d.purpose = $1 AND d.owner = $2 AND d.part = $3`;
    return (await this.query<DataKeyRow>({ name, text, values: [purpose, owner, part] })).rows[0];
  }

  /**
   * True if the key was inserted. False if there was one already, live or destroyed, or if the key-encryption key was destroyed
   * meanwhile (a key wrapped by it would be lost).
   */
  async addDataKey(id: KeyId, kek: KekId, wrapped: Buffer): Promise<boolean> {
    const name = 'vault_add_data_key';
    const text = `
      INSERT INTO data_keys (purpose, owner, part, kek_id, wrapped)
      SELECT $1, $2, $3, id, $6 FROM keks WHERE client_id = $4 AND epoch = $5 AND destroyed_at IS NULL
      ON CONFLICT DO NOTHING`;
    const values = [id.purpose, id.owner, id.part, kek.clientId, kek.epoch, wrapped];
    return (await this.query({ name, text, values })).rowCount === 1;
  }

  /**
   * Leaves a tombstone, even if there was no key yet, so that none is created later. Resolves with the time of the first
   * destruction.
   */
  async destroyDataKey({ purpose, owner, part }: KeyId): Promise<Date> {
    const text = `
      INSERT INTO data_keys (purpose, owner, part, destroyed_at) VALUES ($1, $2, $3, now())
      ON CONFLICT ON CONSTRAINT data_keys_pkey
        DO UPDATE SET wrapped = NULL, destroyed_at = coalesce(data_keys.destroyed_at, now())
      RETURNING destroyed_at AS "destroyedAt"`;
    const { rows } = await this.query<{ destroyedAt: Date }>({ text, values: [purpose, owner, part] });
    const [row] = rows;
    if (row === undefined) throw new Error('destroying a key returned no row');
    return row.destroyedAt;
  }

  /** Live keys of that purpose and of days before `day`, oldest first. */
  async keysOfDaysBefore(purpose: 'inbox', day: string): Promise<KeyId[]> {
    const text = `SELECT purpose, owner, part FROM data_keys
      WHERE purpose = $1 AND part COLLATE "C" < $2 AND destroyed_at IS NULL ORDER BY part, owner`;
    return (await this.query<KeyId>({ text, values: [purpose, day] })).rows;
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }

  async query<Row extends QueryResultRow>(query: QueryConfig): Promise<QueryResult<Row>> {
    try {
      return await this.#pool.query<Row>(query);
    } catch (cause) {
      if (cause instanceof DatabaseError && !UNAVAILABLE_CLASSES.some((start) => cause.code?.startsWith(start))) {
        throw cause;
      }
      // Any other error is pg's about the connection: refused, broken, timed out, pool closed.
      throw new AppError('keystore_unavailable', 'The keystore cannot be reached', { cause });
    }
  }
}
