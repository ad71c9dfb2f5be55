// The sealed part of an agent's row.
import { sealJson, type DataKey } from '../vault/sealing/sealing.js';

export interface AgentDetails {
  name: string | null;
  provider_agent_id: string | null;
}

export const agentPurpose = (agentId: string): string => `agent:${agentId}`;

export const sealAgent = (clientKey: DataKey, agentId: string, details: AgentDetails): Buffer =>
  sealJson(clientKey, agentPurpose(agentId), details);
