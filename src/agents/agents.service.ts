// Agents as people manage them. Those of providers are made at first sight (intake); here they are named, and own ones made.
import { Injectable } from '@nestjs/common';
import { adminScope, requireClients, requireExisting, unknownObject } from '../access/admin.js';
import { actorOf, reachOf, type Caller } from '../access/caller.js';
import { Idempotency, type Attempt } from '../access/idempotency.js';
import { requireMatch, versioned, withStatus, type Answer, type List } from '../http/api-response.js';
import { Cursors } from '../http/cursor.js';
import { newUuid, publicId } from '../common/ids.js';
import { pageById } from '../http/page.js';
import { ApiDatabase } from '../database/database.js';
import { agentPurpose, sealAgent, type AgentDetails } from '../record-store/sealed-agent.js';
import { appendJournal } from '../journal/append.js';
import { openJson, type DataKey } from '../vault/sealing.js';
import { VaultService } from '../vault/vault.service.js';
import type { Agent, AgentInput, AgentPatch, AgentQuery } from './agent.schema.js';

interface AgentRow {
  id: string;
  client_id: string;
  provider_account_id: string | null;
  sealed: Buffer;
  version: string | null;
  revision: number;
  created_at: Date;
  updated_at: Date;
}

const COLUMNS = 'id, client_id, provider_account_id, sealed, version, revision, created_at, updated_at';
const VISIBLE = '($1::uuid[] is null or client_id = any($1::uuid[]))';
const LIST = `
select ${COLUMNS} from agents where ${VISIBLE} and ($2::uuid is null or client_id = $2::uuid)
  and ($3::uuid is null or provider_account_id = $3::uuid) and ($4::uuid is null or id > $4::uuid)
order by id limit $5`;
const FIND = `select ${COLUMNS} from agents where ${VISIBLE} and id = $2`;
const INSERT = 'insert into agents (id, client_id, sealed, version) values ($1, $2, $3, $4)';
const UPDATE = `
update agents set sealed = $3, revision = revision + 1, updated_at = now()
where ${VISIBLE} and id = $2 returning ${COLUMNS}`;

@Injectable()
export class AgentsService {
  constructor(
    private readonly database: ApiDatabase,
    private readonly vault: VaultService,
    private readonly idempotency: Idempotency,
    private readonly cursors: Cursors,
  ) {}

  async list(caller: Caller, { limit, cursor, ...filter }: AgentQuery): Promise<List<Agent>> {
    const { client_id: client = null, provider_account_id: account = null } = filter;
    const read = (after: string | null, most: number): Promise<AgentRow[]> =>
      this.database.withScope(caller.clients, (tx) =>
        tx.query<AgentRow>({ text: LIST, values: [reachOf(caller), client, account, after, most] }),
      );
    const question = { limit, cursor, filter: ['agents', filter] };
    return pageById(this.cursors, question, { read, render: (row) => this.render(row) });
  }

  /** Throws `not_found`. */
  async get(caller: Caller, id: string): Promise<Answer<Agent>> {
    const row = await this.row(caller, id);
    return versioned(await this.render(row), row.revision);
  }

  /** An agent of your own. Throws `not_found` when there is no such client. */
  async create(caller: Caller, attempt: Attempt, input: AgentInput): Promise<Answer<Agent>> {
    requireClients(caller, [input.client_id]);
    const once = await this.idempotency.prepare(attempt);
    const id = newUuid();
    const outcome = await this.database.withScope(adminScope(caller), (tx) =>
      once(tx, async () => {
        await requireExisting(tx, caller, [input.client_id]);
        const details = { name: input.name, provider_agent_id: null };
        const sealed = sealAgent(await this.vault.clientKey(input.client_id), id, details);
        await tx.query({ text: INSERT, values: [id, input.client_id, sealed, input.version ?? null] });
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
  ): Promise<Answer<Agent>> {
    const key = await this.vault.clientKey((await this.row(caller, id)).client_id);
    const row = await this.database.withScope(adminScope(caller), async (tx) => {
      const [before] = await tx.query<AgentRow>({ text: `${FIND} for update`, values: [reachOf(caller), id] });
      if (before === undefined) throw unknownObject('agent');
      requireMatch(ifMatch, before.revision);
      const details = detailsOf(key, before);
      if (patch.name === undefined || patch.name === details.name) return before;
      const sealed = sealAgent(key, id, { ...details, name: patch.name });
      const [after] = await tx.query<AgentRow>({ text: UPDATE, values: [reachOf(caller), id, sealed] });
      const change = { clientId: before.client_id, objectIds: [id], actor: actorOf(caller), changes: ['name'] };
      await appendJournal(tx, [{ ...change, action: 'agent.updated' }]);
      return after ?? before;
    });
    return versioned(await this.render(row), row.revision);
  }

  private async row(caller: Caller, id: string): Promise<AgentRow> {
    const [row] = await this.database.withScope(caller.clients, (tx) =>
      tx.query<AgentRow>({ text: FIND, values: [reachOf(caller), id] }),
    );
    if (row === undefined) throw unknownObject('agent');
    return row;
  }

  private async render(row: AgentRow): Promise<Agent> {
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

const detailsOf = (key: DataKey, { id, sealed }: AgentRow): AgentDetails =>
  openJson(key, agentPurpose(id), sealed) as AgentDetails;
