// Agents are made at first sight; an officer may name them later.
import { newUuid } from '../common/ids.js';
import type { Transaction } from '../database/with-scope.js';
import type { ProviderAccount } from '../providers/provider-accounts.js';
import { sealJson, type DataKey } from '../vault/sealing.js';
import type { VaultService } from '../vault/vault.service.js';
import type { ConversationRecord } from './record.js';

/** The sealed part of an agent's row. */
export interface AgentDetails {
  name: string | null;
  provider_agent_id: string | null;
}

export const agentPurpose = (agentId: string): string => `agent:${agentId}`;

interface Sighting {
  account: ProviderAccount;
  clientId: string;
  agent: ConversationRecord['agent'];
}

const FIND = 'select id from agents where client_id = $1 and provider_account_id = $2 and provider_agent_hash = $3';
const INSERT = `
insert into agents (id, client_id, provider_account_id, provider_agent_hash, sealed, version) values ($1, $2, $3, $4, $5, $6)
on conflict on constraint agents_provider_unique do update set version = agents.version returning id`;

/** The agent's id, made when it is new; null when the provider named none. */
export async function agentIdFor(
  vault: VaultService,
  tx: Transaction,
  { account, clientId, agent }: Sighting,
): Promise<string | null> {
  if (agent === null) return null;
  const hasher = await vault.identityHasher({ providerAccountId: account.id, clientId: account.clientId });
  const hash = hasher.hash('provider_id', 'agent', agent.providerAgentId);
  const [known] = await tx.query<{ id: string }>({ name: 'agent', text: FIND, values: [clientId, account.id, hash] });
  if (known) return known.id;
  const id = newUuid();
  const sealed = sealAgent(await vault.clientKey(clientId), id, {
    name: agent.name,
    provider_agent_id: agent.providerAgentId,
  });
  const values = [id, clientId, account.id, hash, sealed, agent.version];
  const [made] = await tx.query<{ id: string }>({ name: 'agent_in', text: INSERT, values });
  return made?.id ?? id;
}

export const sealAgent = (clientKey: DataKey, agentId: string, details: AgentDetails): Buffer =>
  sealJson(clientKey, agentPurpose(agentId), details);
