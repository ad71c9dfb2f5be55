// A change as its rows will be: agents by our ids, content sealed.
import { sealJson } from '../vault/sealing.js';
import type { VaultService } from '../vault/vault.service.js';
import { agentKey, turnsWithAgentIds, withAgentIds, type AgentIds } from './agent-directory.js';
import type { Change } from '../intake/conversation-change.js';
import { lookUpsOf, type LookUp } from './blind-index-entries.js';
import { PURPOSE, type Owner } from './write-conversations.js';
import type { ConversationRecord } from '../reducer/record.js';

export interface SealedRow {
  owner: Owner;
  agentId: string | null;
  record: ConversationRecord;
  revision: number;
  /** Nothing was stored of it before. */
  isNew: boolean;
  header: Buffer;
  state: Buffer;
  /** Null: they did not change. */
  providerRecord: Buffer | null;
  transcript: Buffer | null;
  lookUps: LookUp[] | null;
  /** Those that are new, or another copy than before. */
  recordings: ConversationRecord['recordings'];
}

/** Seals what a change writes. */
export async function sealed(vault: VaultService, change: Change, agents: AgentIds): Promise<SealedRow> {
  const { owner, account, key, before, after, standing, blobs, turns } = change;
  const idOf = (providerAgentId: string): string | undefined =>
    agents.get(agentKey({ clientId: owner.clientId, accountId: account.id, providerAgentId }));
  const record = withAgentIds(after, idOf);
  const hasNewHeader =
    JSON.stringify(before?.header) !== JSON.stringify(after.header) || before?.startTime !== after.startTime;
  const known = new Set(before?.recordings.map((recording) => JSON.stringify(recording)));
  return {
    ...{ owner, record, revision: standing.revision, isNew: before === null },
    agentId: (after.agent && idOf(after.agent.providerAgentId)) ?? null,
    header: sealJson(key, PURPOSE.header, record.header),
    state: sealJson(key, PURPOSE.state, standing.state),
    providerRecord: blobs.has('record') ? sealJson(key, PURPOSE.record, blobs.get('record')) : null,
    transcript: turns === undefined ? null : sealJson(key, PURPOSE.transcript, turnsWithAgentIds(turns, idOf)),
    lookUps: hasNewHeader ? lookUpsOf(record.header, await vault.indexHasher(owner.clientId)) : null,
    recordings: record.recordings.filter((recording) => !known.has(JSON.stringify(recording))),
  };
}
