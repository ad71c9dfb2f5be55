// Makes the rows of a change: agents by our ids, content sealed.
import type { StateAtRevision } from '../reducer/conversation-state.js';
import type { ConversationRecord } from '../reducer/record.js';
import type { Turn } from '../providers/provider-fact.js';
import type { ConversationKeys } from '../vault/conversation-keys.js';
import { sealJson } from '../vault/sealing/sealing.js';
import { agentKey, turnsWithAgentIds, withAgentIds, type AgentIds } from './agent-ids.js';
import type { ConversationRef } from './conversation-ref.js';
import { purposeOf } from './seal-purposes.js';
import type { SealedConversation } from './sealed-conversation.js';

/** What became of one conversation. */
interface RecordChange {
  ref: ConversationRef;
  account: { id: string };
  keys: ConversationKeys;
  before: ConversationRecord | null;
  after: ConversationRecord;
  stateAtRevision: StateAtRevision;
  /** The state is written as its so manieth version. */
  stateRevision: number;
  /** Content to be stored: `record` (document). */
  blobs: Map<string, unknown>;
  /** The transcript, when it is another one than before. */
  turns: Turn[] | undefined;
}

/** Seals what a change writes. */
export function sealConversation(
  { ref, account, keys, before, after, stateAtRevision, stateRevision, blobs, turns }: RecordChange,
  agents: AgentIds,
): SealedConversation {
  const idOf = (providerAgentId: string): string | undefined =>
    agents.get(agentKey({ clientId: ref.clientId, accountId: account.id, providerAgentId }));
  const { state, revision } = stateAtRevision;
  const record = withAgentIds(after, idOf);
  const key = keys.get('record');
  const known = new Set(before?.recordings.map((recording) => JSON.stringify(recording)));
  return {
    ref,
    record,
    revision,
    stateRevision,
    agentId: (after.agent && idOf(after.agent.providerAgentId)) ?? null,
    header: sealJson(key, purposeOf('header', revision), record.header),
    state: sealJson(key, purposeOf('state', stateRevision), state),
    providerRecord: blobs.has('record')
      ? sealJson(key, purposeOf('provider_record', stateRevision), blobs.get('record'))
      : null,
    transcript:
      turns === undefined
        ? null
        : sealJson(keys.get('transcript'), purposeOf('transcript', revision), turnsWithAgentIds(turns, idOf)),
    recordings: record.recordings.filter((recording) => !known.has(JSON.stringify(recording))),
  };
}
