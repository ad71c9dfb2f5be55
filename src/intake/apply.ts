// Applies the waiting facts of one conversation: one lock, one reduction, one commit.
import type { Transaction } from '../database/with-scope.js';
import { publicId } from '../common/ids.js';
import { lockIdentity, readPending, removeFacts, type Candidate, type Identity } from '../inbox/pending.js';
import { originOf } from '../inbox/origin.js';
import { appendJournal, type NewEntry } from '../journal/append.js';
import { traced, traceparent } from '../observability/tracing.js';
import type { ProviderAccount } from '../providers/provider-accounts.js';
import type { Turn } from '../providers/provider-fact.js';
import type { DataKey } from '../vault/sealing.js';
import { openJson } from '../vault/sealing.js';
import type { VaultService } from '../vault/vault.service.js';
import { agentIdsFor, agentsOf, turnsWithAgentIds, withAgentIds } from './agents.js';
import { entriesOf } from './entries.js';
import { newsOf, type News } from './news.js';
import type { Fact } from './fact.js';
import { lookUpsOf } from './look-ups.js';
import { openFacts } from './open-facts.js';
import { storePayloadAudio, type StoreAudio } from './payload-audio.js';
import { project, type ProjectionSettings } from './project.js';
import { PURPOSE, writeConversation, type Owner } from './read-model.js';
import type { ConversationRecord } from './record.js';
import { EMPTY, reduce, type ConversationState } from './reducer.js';
import { wakeOf } from './wake.js';

export interface ApplyDependencies {
  vault: VaultService;
  /** Whose facts they are; null when the account is gone. */
  account: ProviderAccount | null;
  storeAudio: StoreAudio;
}

export interface ApplyOptions {
  /** Wait for the lock instead of skipping a conversation that somebody else has. */
  wait: boolean;
  /** At most so many facts at once. */
  limit: number;
}

export interface Applied {
  facts: number;
  woken: boolean;
  /** To be told after the commit; null when no record was written. */
  news: News | null;
}

const NOTHING: Applied = { facts: 0, woken: false, news: null };

/** Applies what waits for `candidate` within `tx`. Nothing is applied when the lock is not free. */
export async function applyPending(
  deps: ApplyDependencies,
  tx: Transaction,
  candidate: Candidate,
  options: ApplyOptions,
): Promise<Applied> {
  // Sent together, run one after another: what follows the lock sees what was committed before the lock was had.
  const [identity, pending, stored] = await Promise.all([
    lockIdentity(tx, candidate, options.wait),
    readPending(tx, candidate, options.limit),
    load(tx, candidate),
  ]);
  if (identity === null || pending.length === 0) return NOTHING;
  const ids = pending.map(({ id }) => id);
  if (identity.state !== 'live') {
    await Promise.all([suppress(tx, identity), removeFacts(tx, ids)]);
    return { facts: ids.length, woken: false, news: null };
  }
  const { account } = deps;
  if (account === null) throw new Error('the provider account of these facts is gone');
  const origin = { kind: 'consumer', ...(await originOf(tx, ids)) } as const;
  return traced('intake apply', origin, async (span) => {
    const facts = await openFacts(deps.vault, account, pending);
    const applied = await applyFacts(deps, tx, { identity, account, facts, stored, factIds: ids });
    span?.set({ 'colloquy.conversation_id': applied.news.conversationId, 'colloquy.provider': account.provider });
    return { facts: ids.length, ...applied };
  });
}

/** Nothing erased is taken back: the facts go, and only the journal knows that they came. */
const suppress = (tx: Transaction, { id, client_id }: Identity): Promise<void> =>
  appendJournal(tx, [
    { clientId: client_id, conversationId: id, action: 'ingest.suppressed', actor: { type: 'system', id: 'intake' } },
  ]);

interface Subject {
  identity: Identity;
  account: ProviderAccount;
  facts: Fact[];
  stored: StoredRow;
  factIds: string[];
}

async function applyFacts(
  deps: ApplyDependencies,
  tx: Transaction,
  { identity, account, facts, stored: row, factIds }: Subject,
): Promise<{ woken: boolean; news: News }> {
  const owner = ownerOf(identity, account);
  const key = await deps.vault.conversationKey(owner);
  const stored = opened(row, key);
  const settings: ProjectionSettings = { deadlines: account.deadlines, defaultRegion: row.default_region };
  const before = stored && project(stored.state, settings);
  const withAudio = await storePayloadAudio(deps.storeAudio, {
    owner,
    key,
    facts,
    registers: stored?.state.registers ?? {},
  });
  const { state, blobs } = reduce(stored?.state ?? EMPTY, withAudio);
  const after = project(state, settings);
  const entries = entriesOf(before, after, withAudio, blobs.has('transcript'));
  const revision = (stored?.revision ?? 0) + (entries.length > 0 ? 1 : 0);
  const headerChanged =
    JSON.stringify(before?.header) !== JSON.stringify(after.header) || before?.startTime !== after.startTime;
  const turns = blobs.get('transcript') as Turn[] | undefined;
  const agents = agentsOf(after, turns ?? []);
  const agentIds = await agentIdsFor(deps.vault, tx, { account, clientId: owner.clientId, agents });
  const record = withAgentIds(after, agentIds);
  if (turns !== undefined) blobs.set('transcript', turnsWithAgentIds(turns, agentIds));
  const lookUps = headerChanged ? lookUpsOf(record.header, await deps.vault.indexHasher(owner.clientId)) : null;
  const agentId = (after.agent && agentIds.get(after.agent.providerAgentId)) ?? null;
  const journal = entries.map((entry): NewEntry => ({
    ...entry,
    ...actorOf(owner, facts),
    clientId: owner.clientId,
    conversationId: owner.conversationId,
    revision,
  }));
  const [woken] = await Promise.all([
    wake(tx, owner.conversationId, before, after),
    writeConversation(tx, { owner, agentId, record, state, revision, key, blobs, lookUps }),
    appendJournal(tx, journal),
    removeFacts(tx, factIds),
  ]);
  return { woken, news: newsOf(owner, facts, before, after) };
}

const ownerOf = (identity: Identity, account: ProviderAccount): Owner => ({
  conversationId: identity.id,
  clientId: identity.client_id,
  providerAccountId: account.id,
  provider: account.provider,
  createdAt: identity.created_at,
});

/** What is known before these facts; `revision` and `sealed` are null where nothing is. */
interface StoredRow {
  revision: number | null;
  sealed: Buffer | null;
  /** Of the client, to read numbers by. */
  default_region: string | null;
}

const LOAD = `
select c.revision, s.sealed, cl.default_region from conversation_identities i
left join clients cl on cl.id = i.client_id
left join conversations c on c.id = i.id
left join conversation_states s on s.conversation_id = c.id
where i.provider_account_id = $1 and i.identity_hash = $2`;

async function load(tx: Transaction, candidate: Candidate): Promise<StoredRow> {
  const values = [candidate.provider_account_id, candidate.identity_hash];
  const [row] = await tx.query<StoredRow>({ name: 'load', text: LOAD, values });
  return row ?? { revision: null, sealed: null, default_region: null };
}

const opened = (
  { revision, sealed }: StoredRow,
  key: DataKey,
): { state: ConversationState; revision: number } | null =>
  revision === null || sealed === null
    ? null
    : { revision, state: openJson(key, PURPOSE.state, sealed) as ConversationState };

/** A provider speaks through its webhooks and its record; what a workflow found is that workflow's word. */
function actorOf(owner: Owner, facts: Fact[]): Pick<NewEntry, 'actor' | 'workflowId'> {
  const byWebhook = facts.some(({ source }) => source === 'webhook');
  const account = publicId('providerAccount', owner.providerAccountId);
  if (byWebhook) return { actor: { type: 'provider', id: account }, workflowId: null };
  const conversation = `conversation/${publicId('conversation', owner.conversationId)}`;
  const listed = facts.find(({ source, event }) => source === 'record' && event !== 'record');
  const workflowId = listed === undefined ? conversation : `${WORKFLOW_OF[listed.event] ?? listed.event}/${account}`;
  return { actor: { type: 'workflow', id: workflowId }, workflowId };
}

/** Who brought a record that the conversation's own workflow did not ask for → how its workflow's id begins. */
const WORKFLOW_OF: Record<string, string> = { backfill: 'reconciliation/backfill' };

async function wake(
  tx: Transaction,
  conversationId: string,
  before: ConversationRecord | null,
  after: ConversationRecord,
): Promise<boolean> {
  const kind = wakeOf(before, after);
  if (kind === null) return false;
  await tx.query({
    name: 'wake',
    text: 'insert into wakes (conversation_id, kind, traceparent) values ($1, $2, $3)',
    values: [conversationId, kind, traceparent()],
  });
  return true;
}
