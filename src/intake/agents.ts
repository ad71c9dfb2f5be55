// Agents are made at first sight; an officer may name them later.
import { newUuid, publicId } from '../common/ids.js';
import type { Transaction } from '../database/with-scope.js';
import type { ProviderAccount } from '../providers/provider-accounts.js';
import type { Turn } from '../providers/provider-fact.js';
import { sealJson, type DataKey } from '../vault/sealing.js';
import type { VaultService } from '../vault/vault.service.js';
import type { ConversationRecord } from './record.js';

/** The sealed part of an agent's row. */
export interface AgentDetails {
  name: string | null;
  provider_agent_id: string | null;
}

export const agentPurpose = (agentId: string): string => `agent:${agentId}`;

type Agent = NonNullable<ConversationRecord['agent']>;

/** A conversation, and who is named in it. */
interface Sightings {
  owner: { clientId: string };
  account: ProviderAccount;
  after: ConversationRecord;
  turns: Turn[] | undefined;
}

/** An agent as one client sees it: a client's agents are its own, even where two share an account. */
interface SeenAgent {
  clientId: string;
  account: ProviderAccount;
  agent: Agent;
  hash: Buffer;
}

/** {@link agentKey} → our uuid. */
export type AgentIds = ReadonlyMap<string, string>;

export const agentKey = (of: { clientId: string; accountId: string; providerAgentId: string }): string =>
  JSON.stringify([of.clientId, of.accountId, of.providerAgentId]);

const keyOf = ({ clientId, account, agent }: SeenAgent): string =>
  agentKey({ clientId, accountId: account.id, providerAgentId: agent.providerAgentId });

const FIND = `
select asked.nth::int, a.id from unnest($1::uuid[], $2::uuid[], $3::bytea[]) with ordinality
  as asked(client_id, account_id, hash, nth)
join agents a on a.client_id = asked.client_id and a.provider_account_id = asked.account_id and a.provider_agent_hash = asked.hash`;
const INSERT = `
insert into agents (id, client_id, provider_account_id, provider_agent_hash, sealed, version) values ($1, $2, $3, $4, $5, $6)
on conflict on constraint agents_provider_unique do update set version = agents.version returning id`;

const MAX_KNOWN = 10_000;

/** Everybody of the provider's agents that a record and its turns name, each once. */
function agentsOf({ agent, header }: ConversationRecord, turns: Turn[]): Agent[] {
  const named = [
    ...header.segments.map(({ agent_id }) => agent_id),
    ...header.transfers.map(({ target }) => (target.type === 'agent' ? target.value : null)),
    ...turns.map(({ agent_id }) => agent_id),
  ];
  const others = new Set(named.filter((id): id is string => id !== null && id !== agent?.providerAgentId));
  const later = [...others].map((providerAgentId) => ({ providerAgentId, name: null, version: null }));
  return agent === null ? later : [agent, ...later];
}

/** The agents of an installation. An agent's id never changes, so that those once found are not asked for again. */
export class AgentDirectory {
  private readonly known = new Map<string, string>();

  constructor(private readonly vault: VaultService) {}

  /** Ids of all whom these conversations name, made where they are new. */
  async idsFor(tx: Transaction, sightings: Sightings[]): Promise<AgentIds> {
    const ids = new Map<string, string>();
    const unknown = new Map<string, SeenAgent>();
    for (const sighting of sightings) {
      for (const seen of await this.seenIn(sighting)) {
        const key = keyOf(seen);
        const id = this.known.get(key);
        if (id !== undefined) ids.set(key, id);
        // With a name before without: of the same agent, the one that says most.
        else if ((unknown.get(key)?.agent.name ?? null) === null) unknown.set(key, seen);
      }
    }
    if (unknown.size > 0) await this.resolve(tx, [...unknown.values()], ids);
    return ids;
  }

  private async seenIn({ owner, account, after, turns }: Sightings): Promise<SeenAgent[]> {
    const { clientId } = owner;
    const hasher = await this.vault.identityHasher({ providerAccountId: account.id, clientId: account.clientId });
    return agentsOf(after, turns ?? []).map((agent) => {
      const hash = hasher.hash('provider_id', 'agent', agent.providerAgentId);
      return { clientId, account, agent, hash };
    });
  }

  private async resolve(tx: Transaction, agents: SeenAgent[], ids: Map<string, string>): Promise<void> {
    // Always in one order: two transactions that meet the same new agents must not wait for each other in a circle.
    const sorted = agents.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
    const values = [
      sorted.map(({ clientId }) => clientId),
      sorted.map(({ account }) => account.id),
      sorted.map(({ hash }) => hash),
    ];
    const rows = await tx.query<{ nth: number; id: string }>({ name: 'agents', text: FIND, values });
    const found = new Map(rows.map(({ nth, id }) => [nth - 1, id]));
    for (const [place, seen] of sorted.entries()) {
      const id = found.get(place);
      // What this transaction makes is remembered once another has found it: it may yet be rolled back.
      if (id !== undefined) this.remember(keyOf(seen), id);
      ids.set(keyOf(seen), id ?? (await this.make(tx, seen)));
    }
  }

  private remember(key: string, id: string): void {
    if (this.known.size >= MAX_KNOWN) this.known.clear();
    this.known.set(key, id);
  }

  private async make(tx: Transaction, { clientId, account, agent, hash }: SeenAgent): Promise<string> {
    const id = newUuid();
    const sealed = sealAgent(await this.vault.clientKey(clientId), id, {
      name: agent.name,
      provider_agent_id: agent.providerAgentId,
    });
    const values = [id, clientId, account.id, hash, sealed, agent.version];
    const [made] = await tx.query<{ id: string }>({ name: 'agent_in', text: INSERT, values });
    return made?.id ?? id;
  }
}

type IdOf = (providerAgentId: string) => string | undefined;

/** The record with our public ids of agents in place of the provider's. */
export function withAgentIds(record: ConversationRecord, idOf: IdOf): ConversationRecord {
  const { header } = record;
  const segments = header.segments.map((segment) => ({ ...segment, agent_id: publicAgentId(segment.agent_id, idOf) }));
  const transfers = header.transfers.map((transfer) => {
    const { type, value } = transfer.target;
    return type === 'agent' ? { ...transfer, target: { type, value: publicAgentId(value, idOf) } } : transfer;
  });
  return { ...record, header: { ...header, segments, transfers } };
}

export const turnsWithAgentIds = (turns: Turn[], idOf: IdOf): Turn[] =>
  turns.map((turn) => (turn.agent_id === null ? turn : { ...turn, agent_id: publicAgentId(turn.agent_id, idOf) }));

function publicAgentId(providerAgentId: string | null, idOf: IdOf): string | null {
  const id = providerAgentId === null ? undefined : idOf(providerAgentId);
  return id === undefined ? null : publicId('agent', id);
}

export const sealAgent = (clientKey: DataKey, agentId: string, details: AgentDetails): Buffer =>
  sealJson(clientKey, agentPurpose(agentId), details);
