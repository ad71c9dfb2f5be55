// Statements on API keys. The table has no client_id and no row-level security, so each statement restricts itself.
import { Injectable } from '@nestjs/common';
import { publicId } from '../common/ids.js';
import type { ApiKeyEntity } from '../database/entities/api-key.entity.js';
import type { Transaction } from '../database/with-scope.js';
import { openJson, sealJson } from '../vault/sealing/sealing.js';
import { SYSTEM_CLIENT, VaultService } from '../vault/vault.service.js';
import type { ApiKey } from './api-key.schema.js';
import { clientFilterOf, type Caller } from '../access/caller.js';
import type { Grant } from './grant.js';

export interface ApiKeyRow extends Omit<ApiKeyEntity, 'hash' | keyof Grant>, Grant {}

/** Who proposed the grant of a key, and whether it still needs approval. */
export interface Approval {
  /** uuid of the key that creates or widens it now; null: none does. */
  proposedBy: string | null;
  /** The key does not work until a second admin has approved it. */
  isAwaited: boolean;
}

const COLUMNS = `id, role, all_clients, client_ids, scopes, prefix, sealed, expires_at, last_used_at, revoked_at,
  created_by, proposed_by, approved_by, approved_at, awaiting_approval, revision, created_at, updated_at`;
/** A key for some clients sees only keys for a subset of them. */
const VISIBLE = '($1::uuid[] is null or (not all_clients and client_ids <@ $1::uuid[]))';
const LIST = `
select ${COLUMNS} from api_keys where ${VISIBLE} and ($2::uuid is null or id > $2::uuid) order by id limit $3`;
const FIND = `select ${COLUMNS} from api_keys where ${VISIBLE} and id = $2`;
/** The caller's key, if the secret that it sent still works. */
const WORKING = `
select ${COLUMNS} from api_keys
where id = $1 and hash = $2 and revoked_at is null and not awaiting_approval and (expires_at is null or expires_at > now())`;
const INSERT = `
insert into api_keys (id, role, all_clients, client_ids, scopes, expires_at, hash, prefix, sealed, created_by, proposed_by,
  awaiting_approval)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, $11) on conflict on constraint api_keys_hash_unique do nothing
returning id`;
/** Widening a key ($9 given) undoes its approval. */
const UPDATE = `
update api_keys set role = $3, all_clients = $4, client_ids = $5, scopes = $6, expires_at = $7, sealed = $8,
  proposed_by = coalesce($9, proposed_by), awaiting_approval = $10,
  approved_by = case when $9::uuid is null then approved_by end, approved_at = case when $9::uuid is null then approved_at end,
  revision = revision + 1, updated_at = now()
where ${VISIBLE} and id = $2 returning ${COLUMNS}`;
const APPROVE = `
update api_keys set awaiting_approval = false, approved_by = $2, approved_at = now(), revision = revision + 1,
  updated_at = now()
where id = $1`;
/** The old secret is retired in the same statement. */
const ROTATE = `
with retired as (insert into retired_api_key_secrets (hash, api_key_id) select hash, id from api_keys where id = $1)
update api_keys set hash = $2, prefix = $3, revision = revision + 1, updated_at = now() where id = $1`;
const REVOKE = `
update api_keys set revoked_at = now(), revision = revision + 1, updated_at = now()
where ${VISIBLE} and id = $2 and revoked_at is null`;

const keyName = (id: string | null): string | null => (id === null ? null : publicId('apiKey', id));

function statusOf({ revoked_at, expires_at, awaiting_approval }: ApiKeyRow): ApiKey['status'] {
  if (revoked_at !== null) return 'revoked';
  if (expires_at !== null && expires_at.getTime() <= Date.now()) return 'expired';
  return awaiting_approval ? 'awaiting_approval' : 'active';
}

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
    return tx.query<ApiKeyRow>({ text: LIST, values: [clientFilterOf(caller), after, limit] });
  }

  async find(tx: Transaction, caller: Caller, id: string, { lock = false } = {}): Promise<ApiKeyRow | undefined> {
    const text = lock ? `${FIND} for update` : FIND;
    return (await tx.query<ApiKeyRow>({ text, values: [clientFilterOf(caller), id] }))[0];
  }

  async findWorking(tx: Transaction, { keyId, secretHash }: Caller): Promise<ApiKeyRow | undefined> {
    return (await tx.query<ApiKeyRow>({ text: WORKING, values: [keyId, secretHash] }))[0];
  }

  /** Returns false if a key with this secret exists. */
  async insert(
    tx: Transaction,
    { id, grant, name, ...row }: { id: string; grant: Grant; hash: Buffer; prefix: string; name: string } & Approval,
  ): Promise<boolean> {
    const sealed = await this.seal(id, name);
    const values = [...valuesOf(id, grant), row.hash, row.prefix, sealed, row.proposedBy, row.isAwaited];
    return (await tx.query({ text: INSERT, values })).length === 1;
  }

  async update(
    tx: Transaction,
    caller: Caller,
    { id, grant, name, proposedBy, isAwaited }: { id: string; grant: Grant; name: string } & Approval,
  ): Promise<ApiKeyRow | undefined> {
    const values = [clientFilterOf(caller), ...valuesOf(id, grant), await this.seal(id, name), proposedBy, isAwaited];
    return (await tx.query<ApiKeyRow>({ text: UPDATE, values }))[0];
  }

  async rotate(tx: Transaction, { id, hash, prefix }: { id: string; hash: Buffer; prefix: string }): Promise<void> {
    await tx.query({ text: ROTATE, values: [id, hash, prefix] });
  }

  async approve(tx: Transaction, { id, approver }: { id: string; approver: string }): Promise<void> {
    await tx.query({ text: APPROVE, values: [id, approver] });
  }

  async revoke(tx: Transaction, caller: Caller, id: string): Promise<void> {
    await tx.query({ text: REVOKE, values: [clientFilterOf(caller), id] });
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
      status: statusOf(row),
      created_by: keyName(row.created_by),
      approved_by: keyName(row.approved_by),
      approved_at: row.approved_at?.toISOString() ?? null,
      created_at: row.created_at.toISOString(),
      updated_at: row.updated_at.toISOString(),
    };
  }

  private async seal(id: string, name: string): Promise<Buffer> {
    return sealJson(await this.vault.clientKey(SYSTEM_CLIENT), purposeOf(id), { name });
  }
}
