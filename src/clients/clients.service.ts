// Manages clients, the boundary of isolation. The name of a client is sealed under its own key.
import { Injectable } from '@nestjs/common';
import { adminScope, changedFields, unknownObject } from '../access/admin.js';
import { actorOf, type Caller } from '../access/caller.js';
import { Idempotency, type IdempotentRequest } from '../access/idempotency.js';
import { requireMatch, versioned, withStatus, type ApiResponse, type List } from '../http/api-response.js';
import { Cursors } from '../http/cursor.js';
import { AppError } from '../common/errors.js';
import { newUuid, publicId } from '../common/ids.js';
import { pageById } from '../http/page.js';
import { ApiDatabase } from '../database/database.js';
import type { ClientEntity } from '../database/entities/client.entity.js';
import { appendJournal } from '../journal/append.js';
import { openJson, sealJson, type DataKey } from '../vault/sealing/sealing.js';
import { VaultService } from '../vault/vault.service.js';
import type { Client, ClientInput, ClientPatch } from './client.schema.js';
import { findClient, insertClient, listClients, updateClient } from './clients.repository.js';

const purposeOf = (clientId: string): string => `client:${clientId}`;
const sealName = (key: DataKey, id: string, name: string): Buffer => sealJson(key, purposeOf(id), { name });

@Injectable()
export class ClientsService {
  constructor(
    private readonly database: ApiDatabase,
    private readonly vault: VaultService,
    private readonly idempotency: Idempotency,
    private readonly cursors: Cursors,
  ) {}

  async list(caller: Caller, page: { limit: number; cursor?: string | undefined }): Promise<List<Client>> {
    const read = (after: string | null, limit: number): Promise<ClientEntity[]> =>
      this.database.withScope(caller.clients, (tx) => listClients(tx, caller, { after, limit }));
    return pageById(this.cursors, { ...page, filter: 'clients' }, { read, render: (row) => this.render(row) });
  }

  /** Throws `not_found`. */
  async get(caller: Caller, id: string): Promise<ApiResponse<Client>> {
    const row = await this.database.withScope(caller.clients, (tx) => findClient(tx, caller, id));
    if (row === null) throw unknownObject('client');
    return versioned(await this.render(row), row.revision);
  }

  /** Throws `forbidden` if the key is for some clients only: it could not see the new one. */
  async create(caller: Caller, request: IdempotentRequest, input: ClientInput): Promise<ApiResponse<Client>> {
    if (caller.clients !== 'all') throw new AppError('forbidden', 'only a key for all clients may create one');
    const id = newUuid();
    const once = await this.idempotency.prepare(request);
    const sealed = sealName(await this.vault.clientKey(id), id, input.name);
    const outcome = await this.database.withScope(caller.clients, (tx) =>
      once(tx, async () => {
        await insertClient(tx, { id, sealed, default_region: input.default_region ?? null });
        const entry = { clientId: id, action: 'client.created', objectIds: [id], actor: actorOf(caller) };
        await appendJournal(tx, [entry]);
        return { status: 201, kind: 'client', id };
      }),
    );
    return withStatus(await this.get(caller, outcome.id), outcome.status);
  }

  /** Throws `not_found`, `precondition_failed`. */
  async update(
    caller: Caller,
    id: string,
    change: { patch: ClientPatch; ifMatch?: string | undefined },
  ): Promise<ApiResponse<Client>> {
    const key = await this.keyOf(caller, id);
    const row = await this.database.withScope(adminScope(caller), async (tx) => {
      const before = await findClient(tx, caller, id, { lock: true });
      if (before === null) throw unknownObject('client');
      requireMatch(change.ifMatch, before.revision);
      const known = { name: nameOf(key, before), default_region: before.default_region };
      const changes = changedFields(known, change.patch);
      if (changes.length === 0) return before;
      const next = { ...known, ...change.patch };
      const sealed = sealName(key, id, next.name);
      const after = await updateClient(tx, caller, { id, sealed, default_region: next.default_region });
      const entry = { clientId: id, action: 'client.updated', objectIds: [id], actor: actorOf(caller), changes };
      await appendJournal(tx, [entry]);
      return after ?? before;
    });
    return versioned(await this.render(row), row.revision);
  }

  /** The vault creates missing keys, so check first that the client exists. */
  private async keyOf(caller: Caller, id: string): Promise<DataKey> {
    await this.get(caller, id);
    return this.vault.clientKey(id);
  }

  private async render(row: ClientEntity): Promise<Client> {
    return {
      id: publicId('client', row.id),
      object: 'client',
      name: nameOf(await this.vault.clientKey(row.id), row),
      default_region: row.default_region,
      created_at: row.created_at.toISOString(),
      updated_at: row.updated_at.toISOString(),
    };
  }
}

const nameOf = (key: DataKey, { id, sealed }: ClientEntity): string =>
  (openJson(key, purposeOf(id), sealed) as { name: string }).name;
