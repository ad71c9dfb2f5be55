// Replaces the provider's agent ids with ours. Pure.
import { publicId } from '../common/ids.js';
import type { Turn } from '../providers/provider-fact.js';
import type { ConversationRecord } from '../reducer/record.js';

/** {@link agentKey} → our uuid. */
export type AgentIds = ReadonlyMap<string, string>;

export const agentKey = (of: { clientId: string; accountId: string; providerAgentId: string }): string =>
  JSON.stringify([of.clientId, of.accountId, of.providerAgentId]);

type IdOf = (providerAgentId: string) => string | undefined;

/** The record with our public agent ids in place of the provider's. */
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
