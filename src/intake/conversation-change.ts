// One conversation's facts → what changes in it. Nothing is written here, and nobody outside is asked.
import { conversationWorkflowId } from '../../workflows/conversation.names.js';
import { publicId } from '../common/ids.js';
import type { Identity, PendingFact } from '../inbox/pending-facts.js';
import type { NewEntry } from '../journal/append.js';
import { traceparent } from '../observability/tracing.js';
import type { ProviderAccount } from '../providers/provider-accounts.js';
import type { Turn } from '../providers/provider-fact.js';
import type { ConversationKeys } from '../vault/conversation-keys.js';
import type { VaultService } from '../vault/vault.service.js';
import { entriesOf } from '../reducer/journal-entries.js';
import type { Fact } from '../reducer/fact.js';
import { ofTheFact } from './fact-failures.js';
import { numberReader } from '../reducer/header.js';
import { openFacts, directFacts } from './open-facts.js';
import type { DirectFact } from './apply-request.js';
import { project } from '../reducer/project.js';
import type { ConversationRef } from '../record-store/conversation-ref.js';
import type { ConversationRecord } from '../reducer/record.js';
import { EMPTY, type StateAtRevision } from '../reducer/conversation-state.js';
import { reduce } from '../reducer/reducer.js';
import { openState, type StoredRow } from '../record-store/load-state.js';
import { wakeOf, type WakeKind } from '../reducer/wake-rule.js';

export interface ChangeDependencies {
  vault: VaultService;
}

/** A locked conversation with the facts to apply. */
export interface FactsToApply {
  identity: Identity;
  account: ProviderAccount;
  stored: StoredRow;
  pending: PendingFact[];
  /** Those of `pending` that were opened before. */
  opened: Map<string, Fact | null>;
  direct: DirectFact[];
}

/** Facts, and the ids of those that hold recordings which must be stored first. */
export interface ReadFacts {
  facts: Fact[];
  withAudio: string[];
}

/** What one application of facts makes of a conversation. */
export interface Change {
  ref: ConversationRef;
  account: ProviderAccount;
  keys: ConversationKeys;
  facts: Fact[];
  before: ConversationRecord | null;
  after: ConversationRecord;
  stateAtRevision: StateAtRevision;
  /** Content to be stored: `transcript` (turns), `record` (document). */
  blobs: Map<string, unknown>;
  /** The transcript among them. */
  turns: Turn[] | undefined;
  journal: NewEntry[];
  wake: WakeKind | null;
  /** Where its trace goes on; null when nothing is traced. */
  traceparent: string | null;
}

/** Reads the facts of a conversation. Throws {@link FactFailure}. */
export async function factsOf(
  { vault }: ChangeDependencies,
  { account, pending, opened: known, direct }: FactsToApply,
): Promise<ReadFacts> {
  const sealed = pending.filter(({ id }) => !known.has(id));
  const read = await openFacts(vault, account, sealed);
  const byId = new Map<string, Fact | null>([
    ...known,
    ...sealed.map(({ id }, place) => [id, read[place] ?? null] as const),
  ]);
  const [facts, withAudio]: [Fact[], string[]] = [[], []];
  for (const { id } of pending) {
    const fact = byId.get(id) ?? null;
    if (fact === null) throw new Error('a fact of an erased conversation is not applied');
    if (fact.source !== 'workflow' && fact.claims.audio.length > 0) withAudio.push(id);
    else facts.push(fact);
  }
  return { facts: [...facts, ...directFacts(account, direct)], withAudio };
}

/** What these facts change. Throws {@link FactFailure} where the facts are the reason. */
export async function changeOf({ vault }: ChangeDependencies, toApply: FactsToApply, facts: Fact[]): Promise<Change> {
  const { account, stored: row } = toApply;
  const ref = refOf(toApply);
  const keys = await vault.conversationKeys(ref, ['record', 'transcript']);
  const stored = openState(row, keys);
  const { default_region: defaultRegion } = row;
  const settings = { deadlines: account.deadlines, defaultRegion, readNumber: numberReader(defaultRegion) };
  const before = stored && project(stored.state, settings);
  const { state, blobs, after } = ofTheFact(() => {
    const reduction = reduce(stored?.state ?? EMPTY, facts);
    return { ...reduction, after: project(reduction.state, settings) };
  });
  const entries = entriesOf(before, after, facts, blobs.has('transcript'));
  const revision = (stored?.revision ?? 0) + (entries.length > 0 ? 1 : 0);
  const direct = actorOf(ref, facts);
  const about = { clientId: ref.clientId, conversationId: ref.conversationId, revision };
  return {
    ref,
    account,
    keys,
    facts,
    before,
    after,
    blobs,
    stateAtRevision: { state, revision },
    turns: blobs.get('transcript') as Turn[] | undefined,
    journal: entries.map((entry): NewEntry => ({ ...entry, ...direct, ...about })),
    wake: wakeOf(before, after),
    traceparent: traceparent(),
  };
}

/** Where a conversation stands whose facts were all known already. */
export async function stateOf({ vault }: ChangeDependencies, toApply: FactsToApply): Promise<StateAtRevision | null> {
  return openState(toApply.stored, await vault.conversationKeys(refOf(toApply), ['record']));
}

export const refOf = ({ identity, account }: Pick<FactsToApply, 'identity' | 'account'>): ConversationRef => ({
  conversationId: identity.id,
  clientId: identity.client_id,
  providerAccountId: account.id,
  provider: account.provider,
  createdAt: identity.created_at,
});

/** A provider speaks through its webhooks and its record; what a workflow found is that workflow's word. */
function actorOf(ref: ConversationRef, facts: Fact[]): Pick<NewEntry, 'actor' | 'workflowId'> {
  const byWebhook = facts.some(({ source }) => source === 'webhook');
  const account = publicId('providerAccount', ref.providerAccountId);
  if (byWebhook) return { actor: { type: 'provider', id: account }, workflowId: null };
  const conversation = conversationWorkflowId(publicId('conversation', ref.conversationId));
  const listed = facts.find(({ source, event }) => source === 'record' && event !== 'record');
  // No workflow: a worker that looked at the list.
  if (listed?.event === 'poll') return { actor: { type: 'system', id: `poll/${account}` }, workflowId: null };
  const workflowId = listed === undefined ? conversation : `reconciliation/${listed.event}/${account}`;
  return { actor: { type: 'workflow', id: workflowId }, workflowId };
}
