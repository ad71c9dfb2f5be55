// Computes what the facts of one conversation change in it. Writes nothing.
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
import { attributeToFact } from './fact-failures.js';
import { numberReader } from '../reducer/header.js';
import { openFacts, directFacts } from './open-facts.js';
import type { DirectFact } from './apply-request.js';
import { project } from '../reducer/project.js';
import type { ConversationRef } from '../record-store/conversation-ref.js';
import type { ConversationRecord } from '../reducer/record.js';
import { EMPTY, type StateAtRevision } from '../reducer/conversation-state.js';
import { reduce } from '../reducer/reducer.js';
import { openState, STATE_KEYS, type StoredRow } from '../record-store/load-state.js';
import { changesSearch } from '../record-store/search-todo.js';
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
  /** The facts of `pending` that are opened already. */
  opened: Map<string, Fact | null>;
  direct: DirectFact[];
}

/** Opened facts, and the ids of those that contain recordings, which must be stored first. */
export interface OpenedFacts {
  facts: Fact[];
  withAudio: string[];
}

/** The result of applying facts to a conversation. */
export interface Change {
  ref: ConversationRef;
  account: ProviderAccount;
  keys: ConversationKeys;
  facts: Fact[];
  before: ConversationRecord | null;
  after: ConversationRecord;
  stateAtRevision: StateAtRevision;
  /** Counts the versions of the state. */
  stateRevision: number;
  /** Content to store: `transcript` (turns), `record` (the provider's document). */
  blobs: Map<string, unknown>;
  /** The transcript among them. */
  turns: Turn[] | undefined;
  journal: NewEntry[];
  wake: WakeKind | null;
  /** The change affects its index entries or their order. */
  reindex: boolean;
  /** W3C traceparent for the workflow command; null: not traced. */
  traceparent: string | null;
}

/** Opens and interprets the facts of a conversation. Throws {@link FactFailure}. */
export async function readFacts(
  { vault }: ChangeDependencies,
  { account, pending, opened: known, direct }: FactsToApply,
): Promise<OpenedFacts> {
  const sealed = pending.filter(({ id }) => !known.has(id));
  const read = await openFacts(vault, account, sealed);
  const byId = new Map<string, Fact | null>([
    ...known,
    ...sealed.map(({ id }, index) => [id, read[index] ?? null] as const),
  ]);
  const [facts, withAudio]: [Fact[], string[]] = [[], []];
  for (const { id } of pending) {
    const fact = byId.get(id) ?? null;
    if (fact === null) throw new Error('a fact of an erased conversation must not be applied');
    if (fact.source !== 'workflow' && fact.claims.audio.length > 0) withAudio.push(id);
    else facts.push(fact);
  }
  return { facts: [...facts, ...directFacts(account, direct)], withAudio };
}

/** Reduces the facts to a change. Throws {@link FactFailure} if a fact is the cause. */
export async function changeOf({ vault }: ChangeDependencies, toApply: FactsToApply, facts: Fact[]): Promise<Change> {
  const { account, stored: row } = toApply;
  const ref = refOf(toApply);
  const keys = await vault.conversationKeys(ref, STATE_KEYS);
  const stored = openState(row, keys);
  const { default_region: defaultRegion } = row;
  const settings = { deadlines: account.deadlines, defaultRegion, readNumber: numberReader(defaultRegion) };
  const before = stored && project(stored.state, settings);
  const { state, blobs, after } = attributeToFact(() => {
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
    stateRevision: (row.state_revision ?? 0) + 1,
    turns: blobs.get('transcript') as Turn[] | undefined,
    journal: entries.map((entry): NewEntry => ({ ...entry, ...direct, ...about })),
    wake: wakeOf(before, after),
    reindex: changesSearch(before, after),
    traceparent: traceparent(),
  };
}

/** The current state, for a request whose facts were all duplicates. */
export async function stateOf({ vault }: ChangeDependencies, toApply: FactsToApply): Promise<StateAtRevision | null> {
  return openState(toApply.stored, await vault.conversationKeys(refOf(toApply), STATE_KEYS));
}

export const refOf = ({ identity, account }: Pick<FactsToApply, 'identity' | 'account'>): ConversationRef => ({
  conversationId: identity.id,
  clientId: identity.client_id,
  providerAccountId: account.id,
  provider: account.provider,
  createdAt: identity.created_at,
});

/** The actor of a change: the provider for webhooks, otherwise the workflow or poll that obtained the facts. */
function actorOf(ref: ConversationRef, facts: Fact[]): Pick<NewEntry, 'actor' | 'workflowId'> {
  const byWebhook = facts.some(({ source }) => source === 'webhook');
  const account = publicId('providerAccount', ref.providerAccountId);
  if (byWebhook) return { actor: { type: 'provider', id: account }, workflowId: null };
  const conversation = conversationWorkflowId(publicId('conversation', ref.conversationId));
  const listed = facts.find(({ source, event }) => source === 'record' && event !== 'record');
  // Polling is a loop of the worker, not a workflow.
  if (listed?.event === 'poll') return { actor: { type: 'system', id: `poll/${account}` }, workflowId: null };
  const workflowId = listed === undefined ? conversation : `reconciliation/${listed.event}/${account}`;
  return { actor: { type: 'workflow', id: workflowId }, workflowId };
}
