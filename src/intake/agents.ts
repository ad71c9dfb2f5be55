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

interface Sightings {
  account: ProviderAccount;
  clientId: string;
  agents: Agent[];
}

const FIND = 'select id from agents where client_id = $1 and provider_account_id = $2 and provider_agent_hash = $3';
const INSERT = `
insert into agents (id, client_id, provider_account_id, provider_agent_hash, sealed, version) values ($1, $2, $3, $4, $5, $6)
on conflict on constraint agents_provider_unique do update set version = agents.version returning id`;

/** Everybody of the provider's agents that a record and its turns name, each once. */
export function agentsOf({ agent, header }: ConversationRecord, turns: Turn[]): Agent[] {
  const named = [
    ...header.segments.map(({ agent_id }) => agent_id),
    ...header.transfers.map(({ target }) => (target.type === 'agent' ? target.value : null)),
    ...turns.map(({ agent_id }) => agent_id),
  ];
  const others = new Set(named.filter((id): id is string => id !== null && id !== agent?.providerAgentId));
  const later = [...others].map((providerAgentId) => ({ providerAgentId, name: null, version: null }));
  return agent === null ? later : [agent, ...later];
}

/** The provider's agent id → our uuid, made where it is new. */
export async function agentIdsFor(
  vault: VaultService,
  tx: Transaction,
  { account, clientId, agents }: Sightings,
): Promise<Map<string, string>> {
  const hasher = await vault.identityHasher({ providerAccountId: account.id, clientId: account.clientId });
  // Always in one order: two conversations that meet the same new agents must not wait for each other in a circle.
  const sorted = agents
    .toSorted((a, b) => (a.providerAgentId < b.providerAgentId ? -1 : 1))
    .map((agent) => ({ agent, hash: hasher.hash('provider_id', 'agent', agent.providerAgentId) }));
  const known = await Promise.all(
    sorted.map(({ hash }) =>
      tx.query<{ id: string }>({ name: 'agent', text: FIND, values: [clientId, account.id, hash] }),
    ),
  );
  const ids = new Map<string, string>();
  for (const [index, { agent, hash }] of sorted.entries()) {
    const id = known[index]?.[0]?.id ?? (await makeAgent(vault, tx, { account, clientId, agent, hash }));
    ids.set(agent.providerAgentId, id);
  }
  return ids;
}

async function makeAgent(
  vault: VaultService,
  tx: Transaction,
  { account, clientId, agent, hash }: Omit<Sightings, 'agents'> & { agent: Agent; hash: Buffer },
): Promise<string> {
  const id = newUuid();
  const sealed = sealAgent(await vault.clientKey(clientId), id, {
    name: agent.name,
    provider_agent_id: agent.providerAgentId,
  });
  const values = [id, clientId, account.id, hash, sealed, agent.version];
  const [made] = await tx.query<{ id: string }>({ name: 'agent_in', text: INSERT, values });
  return made?.id ?? id;
}

/** The record with our public ids of agents in place of the provider's. */
export function withAgentIds(record: ConversationRecord, ids: Map<string, string>): ConversationRecord {
  const { header } = record;
  const segments = header.segments.map((segment) => ({ ...segment, agent_id: publicAgentId(segment.agent_id, ids) }));
  const transfers = header.transfers.map((transfer) => {
    const { type, value } = transfer.target;
    return type === 'agent' ? { ...transfer, target: { type, value: publicAgentId(value, ids) } } : transfer;
  });
  return { ...record, header: { ...header, segments, transfers } };
}

export const turnsWithAgentIds = (turns: Turn[], ids: Map<string, string>): Turn[] =>
  turns.map((turn) => ({ ...turn, agent_id: publicAgentId(turn.agent_id, ids) }));

function publicAgentId(providerAgentId: string | null, ids: Map<string, string>): string | null {
  const id = providerAgentId === null ? undefined : ids.get(providerAgentId);
  return id === undefined ? null : publicId('agent', id);
}

export const sealAgent = (clientKey: DataKey, agentId: string, details: AgentDetails): Buffer =>
  sealJson(clientKey, agentPurpose(agentId), details);
