// API keys as people manage them. Nobody gives a key more clients than the own key has; changes count at once in this
// process and within 5 s in others (KeyDirectory).
import { Injectable } from '@nestjs/common';
import { versioned, withStatus, requireMatch, Answer, type List } from '../common/answer.js';
import { Cursors } from '../common/cursor.js';
import { AppError } from '../common/errors.js';
import { newUuid } from '../common/ids.js';
import { pageById } from '../common/keyset.js';
import { ApiDatabase } from '../database/database.js';
import type { Transaction } from '../database/with-scope.js';
import { appendJournal } from '../journal/append.js';
import { SYSTEM_CLIENT } from '../vault/vault.service.js';
import { adminScope, changedFields, requireClients, requireExisting, unknownObject } from './admin.js';
import { hashOf, newSecret, prefixOf } from './api-key-secret.js';
import type { ApiKey, ApiKeyInput, ApiKeyPatch, ApiKeyWithSecret } from './api-key.schema.js';
import { ApiKeyStore, type ApiKeyRow, type Grant } from './api-key-store.js';
import { actorOf, type Caller } from './caller.js';
import { Idempotency, type Attempt } from './idempotency.js';
import { KeyDirectory } from './key-directory.js';

@Injectable()
export class ApiKeysService {
  constructor(
    private readonly database: ApiDatabase,
    private readonly store: ApiKeyStore,
    private readonly directory: KeyDirectory,
    private readonly idempotency: Idempotency,
    private readonly cursors: Cursors,
  ) {}

  async list(caller: Caller, page: { limit: number; cursor?: string | undefined }): Promise<List<ApiKey>> {
    const read = (after: string | null, limit: number): Promise<ApiKeyRow[]> =>
      this.database.withScope(caller.clients, (tx) => this.store.list(tx, caller, { after, limit }));
    return pageById(this.cursors, { ...page, filter: 'api_keys' }, { read, render: (row) => this.store.render(row) });
  }

  /** Throws `not_found`, also for keys that reach further than the caller's. */
  async get(caller: Caller, id: string): Promise<Answer<ApiKey>> {
    const row = await this.database.withScope(caller.clients, (tx) => this.store.find(tx, caller, id));
    if (row === undefined) throw unknownObject('API key');
    return versioned(await this.store.render(row), row.revision);
  }

  /** Throws `not_found` (a client), `forbidden` (`*` by a key for some clients). */
  async create(caller: Caller, attempt: Attempt, { name, ...input }: ApiKeyInput): Promise<Answer<ApiKeyWithSecret>> {
    const grant = grantOf(caller, input);
    const once = await this.idempotency.prepare(attempt);
    const id = newUuid();
    const secret = newSecret();
    const outcome = await this.database.withScope(adminScope(caller), (tx) =>
      once(tx, async () => {
        await requireExisting(tx, caller, grant.client_ids);
        await this.store.insert(tx, { id, grant, name, hash: hashOf(secret), prefix: prefixOf(secret) });
        await tell(tx, caller, { action: 'api_key.created', id });
        return { status: 201, kind: 'apiKey', id };
      }),
    );
    return withSecret(withStatus(await this.get(caller, outcome.id), outcome.status), outcome.repeated ? null : secret);
  }

  /** A new secret in place of the old one, which ends at once. Throws `not_found`, `invalid_state` (revoked). */
  async rotate(caller: Caller, attempt: Attempt, id: string): Promise<Answer<ApiKeyWithSecret>> {
    const once = await this.idempotency.prepare(attempt);
    const secret = newSecret();
    const outcome = await this.database.withScope(adminScope(caller), async (tx) =>
      once(tx, async () => {
        const row = await this.locked(tx, caller, id);
        if (row.revoked_at !== null) throw new AppError('invalid_state', 'the key is revoked');
        await this.store.rotate(tx, caller, { id, hash: hashOf(secret), prefix: prefixOf(secret) });
        await tell(tx, caller, { action: 'api_key.rotated', id });
        return { status: 200, kind: 'apiKey', id };
      }),
    );
    this.directory.changed();
    return withSecret(await this.get(caller, id), outcome.repeated ? null : secret);
  }

  /** Throws `not_found`, `precondition_failed`, `forbidden`. */
  async update(
    caller: Caller,
    id: string,
    { patch, ifMatch }: { patch: ApiKeyPatch; ifMatch?: string | undefined },
  ): Promise<Answer<ApiKey>> {
    const row = await this.database.withScope(adminScope(caller), async (tx) => {
      const before = await this.locked(tx, caller, id);
      requireMatch(ifMatch, before.revision);
      const known = { ...inputOf(before), name: await this.store.nameOf(before) };
      const changes = changedFields(known, patch);
      if (changes.length === 0) return before;
      const next = { ...known, ...patch };
      const grant = grantOf(caller, next);
      await requireExisting(tx, caller, grant.client_ids);
      const after = await this.store.update(tx, caller, { id, grant, name: next.name });
      await tell(tx, caller, { action: 'api_key.updated', id, changes });
      return after ?? before;
    });
    this.directory.changed();
    return versioned(await this.store.render(row), row.revision);
  }

  /** Ends the key; its row stays. Revoking a revoked key changes nothing. Throws `not_found`. */
  async revoke(caller: Caller, id: string): Promise<void> {
    await this.database.withScope(adminScope(caller), async (tx) => {
      const row = await this.locked(tx, caller, id);
      if (row.revoked_at !== null) return;
      await this.store.revoke(tx, caller, id);
      await tell(tx, caller, { action: 'api_key.revoked', id });
    });
    this.directory.changed();
  }

  private async locked(tx: Transaction, caller: Caller, id: string): Promise<ApiKeyRow> {
    const row = await this.store.find(tx, caller, id, { lock: true });
    if (row === undefined) throw unknownObject('API key');
    return row;
  }
}

type GrantInput = Omit<ApiKeyInput, 'name'>;

function grantOf(caller: Caller, { role, client_ids: clientIds, scopes, expires_at }: GrantInput): Grant {
  const common = { role, scopes: [...new Set(scopes)], expires_at };
  if (clientIds !== '*') {
    requireClients(caller, clientIds);
    return { ...common, all_clients: false, client_ids: [...new Set(clientIds)] };
  }
  if (caller.clients !== 'all') throw new AppError('forbidden', 'only a key for all clients may make another one');
  return { ...common, all_clients: true, client_ids: [] };
}

const inputOf = (row: ApiKeyRow): GrantInput => ({
  role: row.role,
  client_ids: row.all_clients ? '*' : row.client_ids,
  // Checked against the list when they were written.
  scopes: row.scopes as GrantInput['scopes'],
  expires_at: row.expires_at,
});

const withSecret = ({ body, extras }: Answer<ApiKey>, secret: string | null): Answer<ApiKeyWithSecret> =>
  new Answer(secret === null ? body : { ...body, secret }, extras);

/** Keys are told in the system's log. */
const tell = (
  tx: Transaction,
  caller: Caller,
  { action, id, changes = [] }: { action: string; id: string; changes?: string[] },
): Promise<void> =>
  appendJournal(tx, [{ clientId: SYSTEM_CLIENT, action, objectIds: [id], actor: actorOf(caller), changes }]);
