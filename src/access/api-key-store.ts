// Rows of API keys. The table has no client_id, so every statement says itself whose keys it may touch.
import { Injectable } from '@nestjs/common';
import { publicId } from '../common/ids.js';
import type { Transaction } from '../database/with-scope.js';
import { openJson, sealJson } from '../vault/sealing.js';
import { SYSTEM_CLIENT, VaultService } from '../vault/vault.service.js';
import type { ApiKey } from './api-key.schema.js';
import { reachOf, type Caller } from './caller.js';
import type { Role } from './rights.js';

export interface ApiKeyRow {
  id: string;
  role: Role;
  all_clients: boolean;
  client_ids: string[];
  scopes: string[];
  prefix: string;
  sealed: Buffer;
  expires_at: Date | null;
  last_used_at: Date | null;
  revoked_at: Date | null;
  revision: number;
  created_at: Date;
  updated_at: Date;
}

/** What a key may do, as its row holds it. */
export type Grant = Pick<ApiKeyRow, 'role' | 'all_clients' | 'client_ids' | 'scopes' | 'expires_at'>;

const COLUMNS = `id, role, all_clients, client_ids, scopes, prefix, sealed, expires_at, last_used_at, revoked_at,
  revision, created_at, updated_at`;
/** A key for some clients sees keys that reach no further than itself. */
const VISIBLE = '($1::uuid[] is null or (not all_clients and client_ids <@ $1::uuid[]))';
const LIST = `
select ${COLUMNS} from api_keys where ${VISIBLE} and ($2::uuid is null or id > $2::uuid) order by id limit $3`;
const FIND = `select ${COLUMNS} from api_keys where ${VISIBLE} and id = $2`;
const INSERT = `
insert into api_keys (id, role, all_clients, client_ids, scopes, expires_at, hash, prefix, sealed)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict on constraint api_keys_hash_unique do nothing
returning id`;
const UPDATE = `
update api_keys set role = $3, all_clients = $4, client_ids = $5, scopes = $6, expires_at = $7, sealed = $8,
  revision = revision + 1, updated_at = now()
where ${VISIBLE} and id = $2 returning ${COLUMNS}`;
const ROTATE = `
update api_keys set hash = $3, prefix = $4, revision = revision + 1, updated_at = now() where ${VISIBLE} and id = $2`;
const REVOKE = `
update api_keys set revoked_at = now(), revision = revision + 1, updated_at = now()
where ${VISIBLE} and id = $2 and revoked_at is null`;

const purposeOf = (keyId: string): string => `api_key:${keyId}`;
const valuesOf = (id: string, grant: Grant): unknown[] => [
  ...[id, grant.role, grant.all_clients, grant.client_ids, grant.scopes, grant.expires_at],
];

@Injectable()
export class ApiKeyStore {
  constructor(private readonly vault: VaultService) {}

  list(
    tx: Transaction,
    caller: Caller,
    { after, limit }: { after: string | null; limit: number },
  ): Promise<ApiKeyRow[]> {
    return tx.query<ApiKeyRow>({ text: LIST, values: [reachOf(caller), after, limit] });
  }

  async find(tx: Transaction, caller: Caller, id: string, { lock = false } = {}): Promise<ApiKeyRow | undefined> {
    const text = lock ? `${FIND} for update` : FIND;
    return (await tx.query<ApiKeyRow>({ text, values: [reachOf(caller), id] }))[0];
  }

  /** False when a key with this secret exists. */
  async insert(
    tx: Transaction,
    { id, grant, hash, prefix, name }: { id: string; grant: Grant; hash: Buffer; prefix: string; name: string },
  ): Promise<boolean> {
    const values = [...valuesOf(id, grant), hash, prefix, await this.seal(id, name)];
    return (await tx.query({ text: INSERT, values })).length === 1;
  }

  async update(
    tx: Transaction,
    caller: Caller,
    { id, grant, name }: { id: string; grant: Grant; name: string },
  ): Promise<ApiKeyRow | undefined> {
    const values = [reachOf(caller), ...valuesOf(id, grant), await this.seal(id, name)];
    return (await tx.query<ApiKeyRow>({ text: UPDATE, values }))[0];
  }

  async rotate(
    tx: Transaction,
    caller: Caller,
    { id, hash, prefix }: { id: string; hash: Buffer; prefix: string },
  ): Promise<void> {
    await tx.query({ text: ROTATE, values: [reachOf(caller), id, hash, prefix] });
  }

  async revoke(tx: Transaction, caller: Caller, id: string): Promise<void> {
    await tx.query({ text: REVOKE, values: [reachOf(caller), id] });
  }

  async nameOf({ id, sealed }: ApiKeyRow): Promise<string> {
    return (openJson(await this.vault.clientKey(SYSTEM_CLIENT), purposeOf(id), sealed) as { name: string }).name;
  }

  async render(row: ApiKeyRow): Promise<ApiKey> {
    return {
      id: publicId('apiKey', row.id),
      object: 'api_key',
      name: await this.nameOf(row),
      role: row.role,
      client_ids: row.all_clients ? '*' : row.client_ids.map((id) => publicId('client', id)),
      scopes: row.scopes,
      prefix: row.prefix,
      expires_at: row.expires_at?.toISOString() ?? null,
      last_used_at: row.last_used_at?.toISOString() ?? null,
      revoked_at: row.revoked_at?.toISOString() ?? null,
      created_at: row.created_at.toISOString(),
      updated_at: row.updated_at.toISOString(),
    };
  }

  private async seal(id: string, name: string): Promise<Buffer> {
    return sealJson(await this.vault.clientKey(SYSTEM_CLIENT), purposeOf(id), { name });
  }
}
