// Manages agents. Intake creates the agents of providers when it first sees them; here people rename them and create own ones.
import { Injectable } from '@nestjs/common';
import { adminScope, requireClients, requireExisting, unknownObject } from '../access/admin.js';
import { actorOf, type Caller } from '../access/caller.js';
import { Idempotency, type IdempotentRequest } from '../access/idempotency.js';
import { requireMatch, versioned, withStatus, type ApiResponse, type List } from '../http/api-response.js';
import { Cursors } from '../http/cursor.js';
import { newUuid, publicId } from '../common/ids.js';
import { pageById } from '../http/page.js';
import { ApiDatabase } from '../database/database.js';
import type { AgentEntity } from '../database/entities/agent.entity.js';
import { agentPurpose, sealAgent, type AgentDetails } from '../record-store/sealed-agent.js';
import { appendJournal } from '../journal/append.js';
import { openJson, type DataKey } from '../vault/sealing/sealing.js';
import { VaultService } from '../vault/vault.service.js';
import type { Agent, AgentInput, AgentPatch, AgentQuery } from './agent.schema.js';
import { findAgent, insertAgent, listAgents, updateAgent } from './agents.repository.js';

@Injectable()
export class AgentsService {
  constructor(
    private readonly database: ApiDatabase,
    private readonly vault: VaultService,
    private readonly idempotency: Idempotency,
    private readonly cursors: Cursors,
  ) {}

  async list(caller: Caller, { limit, cursor, ...filter }: AgentQuery): Promise<List<Agent>> {
    const { client_id: clientId = null, provider_account_id: accountId = null } = filter;
    const read = (after: string | null, most: number): Promise<AgentEntity[]> =>
      this.database.withScope(caller.clients, (tx) =>
        listAgents(tx, caller, { clientId, accountId, after, limit: most }),
      );
    const page = { limit, cursor, filter: ['agents', filter] };
    return pageById(this.cursors, page, { read, render: (row) => this.render(row) });
  }

  /** Throws `not_found`. */
  async get(caller: Caller, id: string): Promise<ApiResponse<Agent>> {
    const row = await this.row(caller, id);
    return versioned(await this.render(row), row.revision);
  }

  /** Creates an agent that belongs to no provider account. Throws `not_found` if there is no such client. */
  async create(caller: Caller, request: IdempotentRequest, input: AgentInput): Promise<ApiResponse<Agent>> {
    requireClients(caller, [input.client_id]);
    const once = await this.idempotency.prepare(request);
    const id = newUuid();
    const outcome = await this.database.withScope(adminScope(caller), (tx) =>
      once(tx, async () => {
        await requireExisting(tx, caller, [input.client_id]);
        const details = { name: input.name, provider_agent_id: null };
        const sealed = sealAgent(await this.vault.clientKey(input.client_id), id, details);
        await insertAgent(tx, { id, client_id: input.client_id, sealed, version: input.version ?? null });
        const change = { clientId: input.client_id, objectIds: [id], actor: actorOf(caller) };
        await appendJournal(tx, [{ ...change, action: 'agent.created' }]);
        return { status: 201, kind: 'agent', id };
      }),
    );
    return withStatus(await this.get(caller, outcome.id), outcome.status);
  }

  /** Throws `not_found`, `precondition_failed`. */
  async update(
    caller: Caller,
    id: string,
    { patch, ifMatch }: { patch: AgentPatch; ifMatch?: string | undefined },
  ): Promise<ApiResponse<Agent>> {
    const key = await this.vault.clientKey((await this.row(caller, id)).client_id);
    const row = await this.database.withScope(adminScope(caller), async (tx) => {
      const before = await findAgent(tx, caller, id, { lock: true });
      if (before === null) throw unknownObject('agent');
      requireMatch(ifMatch, before.revision);
      const details = detailsOf(key, before);
      if (patch.name === undefined || patch.name === details.name) return before;
      const sealed = sealAgent(key, id, { ...details, name: patch.name });
      const after = await updateAgent(tx, caller, { id, sealed });
      const change = { clientId: before.client_id, objectIds: [id], actor: actorOf(caller), changes: ['name'] };
      await appendJournal(tx, [{ ...change, action: 'agent.updated' }]);
      return after ?? before;
    });
    return versioned(await this.render(row), row.revision);
  }

  private async row(caller: Caller, id: string): Promise<AgentEntity> {
    const row = await this.database.withScope(caller.clients, (tx) => findAgent(tx, caller, id));
    if (row === null) throw unknownObject('agent');
    return row;
  }

  private async render(row: AgentEntity): Promise<Agent> {
    const details = detailsOf(await this.vault.clientKey(row.client_id), row);
    return {
      id: publicId('agent', row.id),
      object: 'agent',
      client_id: publicId('client', row.client_id),
      provider_account_id:
        row.provider_account_id === null ? null : publicId('providerAccount', row.provider_account_id),
      provider_agent_id: details.provider_agent_id,
      name: details.name,
      version: row.version,
      created_at: row.created_at.toISOString(),
      updated_at: row.updated_at.toISOString(),
    };
  }
}

const detailsOf = (key: DataKey, { id, sealed }: AgentEntity): AgentDetails =>
  openJson(key, agentPurpose(id), sealed) as AgentDetails;
