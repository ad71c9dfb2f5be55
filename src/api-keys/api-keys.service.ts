// Manages API keys. No key can grant more than it has (grant.ts); some grants need a second admin (four-eyes.ts).
import { Inject, Injectable } from '@nestjs/common';
import { versioned, withStatus, requireMatch, ApiResponse, type List } from '../http/api-response.js';
import { Cursors } from '../http/cursor.js';
import { AppError } from '../common/errors.js';
import { newUuid, publicId } from '../common/ids.js';
import { pageById } from '../http/page.js';
import { CONFIG } from '../config/config.module.js';
import type { Config } from '../config/config.js';
import { ApiDatabase } from '../database/database.js';
import type { Transaction } from '../database/with-scope.js';
import { adminScope, changedFields, requireExisting, unknownObject } from '../access/admin.js';
import { hashOf, newSecret, prefixOf } from '../access/api-key-secret.js';
import type { ApiKey, ApiKeyInput, ApiKeyPatch, ApiKeyWithSecret } from './api-key.schema.js';
import { ApiKeyStore, type ApiKeyRow } from './api-key-store.js';
import type { Caller } from '../access/caller.js';
import { areTwoPeople, awaitsApproval } from './four-eyes.js';
import { excessOf, excessOver, mayManage } from './grant.js';
import { grantOf, inputOf, requireOwnChange } from './grant-input.js';
import { Idempotency, type IdempotentRequest } from '../access/idempotency.js';
import { KeyChanges } from './key-changes.js';
import { KeyDirectory } from '../access/key-directory.js';
import { expiryOf } from './key-expiry.js';
import { journalKey, type KeyAction } from './key-journal.js';
import { RotationLimit } from './rotation-limit.js';
import { SecurityEvents } from '../access/security-events.js';

@Injectable()
export class ApiKeysService {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly database: ApiDatabase,
    private readonly store: ApiKeyStore,
    private readonly changes: KeyChanges,
    private readonly rotations: RotationLimit,
    private readonly directory: KeyDirectory,
    private readonly idempotency: Idempotency,
    private readonly events: SecurityEvents,
    private readonly cursors: Cursors,
  ) {}

  async list(caller: Caller, page: { limit: number; cursor?: string | undefined }): Promise<List<ApiKey>> {
    const read = (after: string | null, limit: number): Promise<ApiKeyRow[]> =>
      this.database.withScope(caller.clients, (tx) => this.store.list(tx, caller, { after, limit }));
    return pageById(this.cursors, { ...page, filter: 'api_keys' }, { read, render: (row) => this.store.render(row) });
  }

  /** Throws `not_found`, also for keys that may see other clients than the caller's. */
  async get(caller: Caller, id: string): Promise<ApiResponse<ApiKey>> {
    const row = await this.database.withScope(caller.clients, (tx) => this.store.find(tx, caller, id));
    if (row === undefined) throw unknownObject('API key');
    return versioned(await this.store.render(row), row.revision);
  }

  /** Throws `not_found` (a client), `forbidden` (more than the caller may grant), `invalid_request` (`expires_at`). */
  async create(
    caller: Caller,
    request: IdempotentRequest,
    { name, ...input }: ApiKeyInput,
  ): Promise<ApiResponse<ApiKeyWithSecret>> {
    const grant = grantOf(caller, { ...input, expires_at: expiryOf(input.expires_at, this.config.keyLifetimeDays) });
    const once = await this.idempotency.prepare(request);
    const id = newUuid();
    const secret = newSecret();
    const outcome = await this.database.withScope(adminScope(caller), (tx) =>
      once(tx, () =>
        this.changes.runAs(tx, caller, async (holder, current) => {
          refuse(excessOver(holder, grant));
          await requireExisting(tx, current, grant.client_ids);
          const approval = { proposedBy: caller.keyId, isAwaited: awaitsApproval(this.config.fourEyes, null, grant) };
          const row = { id, grant, name, hash: hashOf(secret), prefix: prefixOf(secret), ...approval };
          await this.store.insert(tx, row);
          await journalKey(tx, caller, { action: 'api_key.created', id });
          return { status: 201, kind: 'apiKey', id };
        }),
      ),
    );
    if (!outcome.repeated) this.changed(caller, 'api_key.created', id);
    return withSecret(withStatus(await this.get(caller, outcome.id), outcome.status), outcome.repeated ? null : secret);
  }

  /**
   * Replaces the secret; the old one never works again. Only the key itself may ask. Throws `not_found`, `forbidden` (another
   * key), `rate_limited`.
   */
  async rotate(caller: Caller, request: IdempotentRequest, id: string): Promise<ApiResponse<ApiKeyWithSecret>> {
    await this.rotations.take(caller.keyId);
    const once = await this.idempotency.prepare(request);
    const secret = newSecret();
    const outcome = await this.database.withScope(adminScope(caller), async (tx) =>
      once(tx, () =>
        this.changes.runAs(tx, caller, async (_, current) => {
          await this.findLocked(tx, current, id);
          if (id !== caller.keyId) throw new AppError('forbidden', 'a key can only be rotated with the key itself');
          await this.store.rotate(tx, { id, hash: hashOf(secret), prefix: prefixOf(secret) });
          await journalKey(tx, caller, { action: 'api_key.rotated', id });
          return { status: 200, kind: 'apiKey', id };
        }),
      ),
    );
    if (!outcome.repeated) this.changed(caller, 'api_key.rotated', id);
    return withSecret(await this.get(caller, id), outcome.repeated ? null : secret);
  }

  /** Throws `not_found`, `precondition_failed`, `forbidden`, `invalid_state` (revoked), `invalid_request` (`expires_at`). */
  async update(
    caller: Caller,
    id: string,
    { patch, ifMatch }: { patch: ApiKeyPatch; ifMatch?: string | undefined },
  ): Promise<ApiResponse<ApiKey>> {
    const { row, isChanged } = await this.database.withScope(adminScope(caller), (tx) =>
      this.changes.runAs(tx, caller, async (holder, current) => {
        const before = await this.findLocked(tx, current, id);
        if (id !== caller.keyId) refuseToManage(holder, before);
        requireMatch(ifMatch, before.revision);
        const known = { ...inputOf(before), name: await this.store.nameOf(before) };
        const changes = changedFields(known, patch);
        if (changes.length === 0) return { row: before, isChanged: false };
        if (before.revoked_at !== null) throw new AppError('invalid_state', 'the key is revoked');
        if (changes.includes('expires_at')) expiryOf(patch.expires_at, this.config.keyLifetimeDays);
        const next = { ...known, ...patch };
        const grant = grantOf(current, next);
        const widens = excessOf(grant, before) !== null;
        if (id === caller.keyId) requireOwnChange(changes, widens);
        else if (widens) refuse(excessOver(holder, grant));
        await requireExisting(tx, current, grant.client_ids);
        const approval = {
          proposedBy: widens ? caller.keyId : null,
          isAwaited: awaitsApproval(this.config.fourEyes, before, grant),
        };
        const after = await this.store.update(tx, current, { id, grant, name: next.name, ...approval });
        await journalKey(tx, caller, { action: 'api_key.updated', id, changes });
        return { row: after ?? before, isChanged: true };
      }),
    );
    if (isChanged) this.changed(caller, 'api_key.updated', id);
    return versioned(await this.store.render(row), row.revision);
  }

  /** Revokes the key; its row stays. Does nothing if it is revoked already. Throws `not_found`, `forbidden`. */
  async revoke(caller: Caller, id: string): Promise<void> {
    const isChanged = await this.database.withScope(adminScope(caller), (tx) =>
      this.changes.runAs(tx, caller, async (holder, current) => {
        const row = await this.findLocked(tx, current, id);
        if (id !== caller.keyId) refuseToManage(holder, row);
        if (row.revoked_at !== null) return false;
        await this.store.revoke(tx, current, id);
        await journalKey(tx, caller, { action: 'api_key.revoked', id });
        return true;
      }),
    );
    if (isChanged) this.changed(caller, 'api_key.revoked', id);
  }

  /**
   * Approves a key as a second admin. Throws `not_found`, `invalid_state` (it awaits no approval), `precondition_failed`,
   * `forbidden` (not an admin, or possibly the same person as the proposer).
   */
  async approve(
    caller: Caller,
    request: IdempotentRequest,
    id: string,
    ifMatch: string | undefined,
  ): Promise<ApiResponse<ApiKey>> {
    const once = await this.idempotency.prepare(request);
    const outcome = await this.database.withScope(adminScope(caller), (tx) =>
      once(tx, () =>
        this.changes.runAs(tx, caller, async (holder, current) => {
          const row = await this.findLocked(tx, current, id);
          if (holder.role !== 'admin') throw new AppError('forbidden', 'only an admin may approve a key');
          requireMatch(ifMatch, row.revision);
          if (!row.awaiting_approval || row.revoked_at !== null) {
            throw new AppError('invalid_state', 'the key awaits no approval');
          }
          refuse(excessOver(holder, row));
          if (!(await areTwoPeople(tx, caller.keyId, row.proposed_by ?? id))) throw needsAnotherAdmin();
          await this.store.approve(tx, { id, approver: caller.keyId });
          await journalKey(tx, caller, { action: 'api_key.approved', id });
          return { status: 200, kind: 'apiKey', id };
        }),
      ),
    );
    if (!outcome.repeated) this.changed(caller, 'api_key.approved', id);
    return this.get(caller, outcome.id);
  }

  /** Call it after the commit. */
  private changed(caller: Caller, action: KeyAction, id: string): void {
    this.directory.changed();
    this.events.record(action, caller.source, { key_id: publicId('apiKey', id), by_key_id: caller.keyName });
  }

  private async findLocked(tx: Transaction, caller: Caller, id: string): Promise<ApiKeyRow> {
    const row = await this.store.find(tx, caller, id, { lock: true });
    if (row === undefined) throw unknownObject('API key');
    return row;
  }
}

function refuse(excess: ReturnType<typeof excessOver>): void {
  if (excess === null) return;
  throw new AppError('forbidden', `a key cannot grant more than it has: the ${excess} would exceed those of this key`);
}

function refuseToManage(holder: ApiKeyRow, row: ApiKeyRow): void {
  if (!mayManage(holder, row))
    throw new AppError('forbidden', 'that key has rights, clients or a lifetime that this key does not have');
}

const needsAnotherAdmin = (): AppError =>
  new AppError(
    'forbidden',
    'approve with the key of another person, rotated since it was created: whoever proposed this key may know the calling one',
  );

const withSecret = ({ body, extras }: ApiResponse<ApiKey>, secret: string | null): ApiResponse<ApiKeyWithSecret> =>
  new ApiResponse(secret === null ? body : { ...body, secret }, extras);
