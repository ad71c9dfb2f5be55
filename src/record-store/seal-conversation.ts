// Turns a change into rows: with our agent ids and sealed content.
import { stateParts, type StateAtRevision } from '../reducer/conversation-state.js';
import { headerParts } from '../reducer/header.js';
import type { ConversationRecord } from '../reducer/record.js';
import { splitDocument } from '../providers/document-parts.js';
import type { Json, Turn } from '../providers/provider-fact.js';
import { providerNamed } from '../providers/providers.js';
import type { ConversationKeys } from '../vault/conversation-keys.js';
import { agentKey, turnsWithAgentIds, withAgentIds, type AgentIds } from './agent-ids.js';
import type { ConversationRef } from './conversation-ref.js';
import { sealParts } from './sealed-parts.js';
import type { SealedConversation } from './sealed-conversation.js';

/** The change of one conversation. */
interface RecordChange {
  ref: ConversationRef;
  account: { id: string };
  keys: ConversationKeys;
  before: ConversationRecord | null;
  after: ConversationRecord;
  stateAtRevision: StateAtRevision;
  /** The version of the state that is written. */
  stateRevision: number;
  /** Content to be stored: `record` (document). */
  blobs: Map<string, unknown>;
  /** The transcript, if it changed. */
  turns: Turn[] | undefined;
}

export function sealConversation(
  { ref, account, keys, before, after, stateAtRevision, stateRevision, blobs, turns }: RecordChange,
  agents: AgentIds,
): SealedConversation {
  const idOf = (providerAgentId: string): string | undefined =>
    agents.get(agentKey({ clientId: ref.clientId, accountId: account.id, providerAgentId }));
  const { state, revision } = stateAtRevision;
  const record = withAgentIds(after, idOf);
  const document = blobs.get('record') as Json | undefined;
  const known = new Set(before?.recordings.map((recording) => JSON.stringify(recording)));
  return {
    ref,
    record,
    revision,
    stateRevision,
    agentId: (after.agent && idOf(after.agent.providerAgentId)) ?? null,
    header: sealParts(keys, { kind: 'header', revision }, headerParts(record.header)),
    state: sealParts(keys, { kind: 'state', revision: stateRevision }, stateParts(state)),
    providerRecord:
      document === undefined
        ? null
        : sealParts(
            keys,
            { kind: 'provider_record', revision: stateRevision },
            splitDocument(document, providerNamed(ref.provider).documentClasses),
          ),
    transcript:
      turns === undefined
        ? null
        : sealParts(keys, { kind: 'transcript', revision }, { transcript: turnsWithAgentIds(turns, idOf) }).transcript,
    recordings: record.recordings.filter((recording) => !known.has(JSON.stringify(recording))),
  };
}
