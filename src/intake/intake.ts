// The loop that applies facts. It runs in every worker; conversations are shared out by their locks.
import { Batcher } from '../common/batcher.js';
import { AppError } from '../common/errors.js';
import type { Log } from '../common/log.js';
import { WorkLoop } from '../common/work-loop.js';
import type { WorkerDatabase } from '../database/database.js';
import { isStorageAway } from '../database/failures.js';
import type { Notifier } from '../database/notifier.js';
import type { Transaction } from '../database/with-scope.js';
import { countFailure, findCandidates, postpone, type Candidate, type WaitingCandidate } from '../inbox/pending.js';
import { factHash } from '../inbox/receipts.js';
import { traceparent } from '../observability/tracing.js';
import type { ProviderAccount, ProviderAccounts } from '../providers/provider-accounts.js';
import { VaultError } from '../vault/errors.js';
import type { VaultService } from '../vault/vault.service.js';
import { publicId } from '../common/ids.js';
import { factParked } from '../observability/metrics.js';
import { tellNews } from './news.js';
import { AudioNotStored, type StoreAudio } from './payload-audio.js';
import { AgentDirectory } from './agents.js';
import { applyOrders, type ApplyOptions } from './apply.js';
import { byConversation } from './batches.js';
import type { Applied, Order, SaidFact } from './order.js';
import { WaitingLine } from './waiting-line.js';

const POLL_MS = 1_000;
/** Transactions under way at once: one computes here while the other is with Postgres. More only make the first wait. */
const LANES = 2;
/** As above, for what workflows say: they come one by one. */
const SAID_AT_ONCE = { maxItems: 8, concurrency: 4 };
const CANDIDATES = 64;
const FACTS_AT_ONCE = 200;
/** How long a caller who wants its own fact applied waits for the lock. */
const LOCK_TIMEOUT = '2s';

interface IntakeDependencies {
  vault: VaultService;
  accounts: ProviderAccounts;
  database: WorkerDatabase;
  notifier: Notifier;
  /** Lays audio that came inside a webhook into the store of recordings. */
  storeAudio: StoreAudio;
  log: Log;
}

export class Intake {
  private readonly lanes = Array.from({ length: LANES }, () => new WorkLoop(() => this.work(), POLL_MS));
  private readonly line = new WaitingLine((among) => this.candidates(among), LANES);
  private readonly agents: AgentDirectory;
  /** What is said at the same time shares a commit. */
  private readonly saying: Batcher<Order, Applied | null>;

  constructor(private readonly deps: IntakeDependencies) {
    this.agents = new AgentDirectory(deps.vault);
    this.saying = new Batcher((orders) => this.sayTogether(orders), SAID_AT_ONCE);
  }

  start(): void {
    for (const lane of this.lanes) lane.start();
  }

  /** There may be work: look at once instead of at the next poll. A lane that rests does, while the other goes on. */
  nudge(): void {
    (this.lanes.find(({ isResting }) => isResting) ?? this.lanes[0])?.nudge();
  }

  async stop(): Promise<void> {
    await Promise.all(this.lanes.map((lane) => lane.stop()));
  }

  /** Applies what waits for one conversation now; waits up to 2 s for its lock, then throws `storage_unavailable`. */
  async applyNow(candidate: Candidate): Promise<void> {
    await this.attemptAlone(await this.orderOf(candidate), ALL);
  }

  /**
   * Applies a fact as it is said (`bytes` are those of its body), with what waits for its conversation. Null: the conversation is reserved or unknown, and
   * nothing was done. Throws `storage_unavailable` when it is locked for more than 2 s, and what makes facts unappliable:
   * then nothing is known of the fact either.
   */
  async say(
    { account, identityHash }: { account: ProviderAccount; identityHash: Buffer },
    fact: Pick<SaidFact, 'source' | 'kind' | 'body'>,
    bytes: Buffer,
  ): Promise<Applied | null> {
    const owner = { providerAccountId: account.id, clientId: account.clientId };
    const hasher = await this.deps.vault.identityHasher(owner);
    const hash = factHash(hasher, { source: fact.source, identityHash, body: bytes });
    const said: SaidFact = { ...fact, hash, receivedAt: new Date(), traceparent: traceparent() };
    const candidate = { provider_account_id: account.id, identity_hash: identityHash };
    const order = { ...(await this.orderOf(candidate)), said: [said] };
    return (await this.saying.add(order)) ?? this.attemptAlone(order, ALL);
  }

  /** One turn of a lane: a transaction's worth of what waits. Resolves with how many facts were applied. */
  async round(): Promise<number> {
    const batch = await this.line.take();
    if (batch.length === 0) return 0;
    if (this.line.hasMore) this.nudge();
    let applied = 0;
    try {
      applied = await this.applyOrBlame(batch);
      return applied;
    } finally {
      this.line.giveBack(batch, applied);
    }
  }

  private candidates(among: 'oldest' | 'all'): Promise<WaitingCandidate[]> {
    const { database } = this.deps;
    return findCandidates({ query: (statement) => database.once('all', statement) }, { limit: CANDIDATES, among });
  }

  private async work(): Promise<boolean> {
    try {
      return (await this.round()) > 0;
    } catch (error) {
      this.deps.log.error('intake round failed; trying again', {}, error);
      return false;
    }
  }

  /** A batch that fails is taken apart: conversation by conversation, then fact by fact. */
  private async applyOrBlame(candidates: WaitingCandidate[]): Promise<number> {
    try {
      const orders = await Promise.all(candidates.map((candidate) => this.orderOf(candidate)));
      return factsOf(await this.attempt(orders, { wait: false, ...ALL }));
    } catch (error) {
      if (isAway(error)) throw error;
      const [first, ...others] = candidates;
      if (first === undefined) return 0;
      if (others.length === 0) return this.oneByOne(first);
      let applied = 0;
      for (const candidate of candidates) applied += await this.applyOrBlame([candidate]);
      return applied;
    }
  }

  /** A conversation's facts are tried alone, so that the bad one is counted and its neighbours are applied. */
  private async oneByOne(candidate: Candidate): Promise<number> {
    let applied = 0;
    for (;;) {
      try {
        const facts = factsOf(await this.attempt([await this.orderOf(candidate)], { wait: false, limit: 1 }));
        if (facts === 0) return applied;
        applied += facts;
      } catch (error) {
        if (isAway(error)) throw error;
        await this.blame(candidate, error);
      }
    }
  }

  /** Null for those that were not carried out here: each of them then goes alone. */
  private async sayTogether(orders: Order[]): Promise<(Applied | null)[]> {
    const merged = byConversation(orders);
    try {
      const applied = await this.attempt([...merged.keys()], { wait: false, ...ALL });
      const byOrder = new Map([...merged.keys()].map((key, index) => [key, applied[index] ?? null]));
      const outcomes = new Map(
        [...merged].flatMap(([key, parts]) => parts.map((part) => [part, byOrder.get(key) ?? null])),
      );
      return orders.map((order) => outcomes.get(order) ?? null);
    } catch (error) {
      if (isStorageAway(error)) throw error;
      return orders.map(() => null);
    }
  }

  private async blame(candidate: Candidate, error: unknown): Promise<void> {
    const { database, log } = this.deps;
    const reason = codeOf(error);
    const { outcome, conversation } = await database.withScope('all', async (tx) => {
      const [first] = await tx.query<{ id: string; conversation_id: string }>({
        name: 'first_pending',
        text: FIRST,
        values: [candidate.provider_account_id, candidate.identity_hash],
      });
      if (first === undefined) return { outcome: 'gone' as const };
      return { outcome: await outcomeOf(tx, first.id, error, reason), conversation: first.conversation_id };
    });
    const about = conversation === undefined ? {} : { conversation_id: publicId('conversation', conversation) };
    log.warn(MESSAGES[outcome], { reason, ...about });
    if (outcome !== 'parked') return;
    factParked((await this.deps.accounts.find(candidate.provider_account_id))?.provider ?? 'unknown', reason);
  }

  private async orderOf(candidate: Candidate): Promise<Order> {
    // Before the transaction: one that holds a connection and asks for a second can starve the pool.
    return { candidate, account: await this.deps.accounts.find(candidate.provider_account_id), said: [] };
  }

  private async attemptAlone(order: Order, limits: { limit: number }): Promise<Applied | null> {
    const [applied = null] = await this.attempt([order], { wait: true, ...limits });
    return applied;
  }

  private async attempt(orders: Order[], options: ApplyOptions): Promise<(Applied | null)[]> {
    const { database, notifier, vault, storeAudio } = this.deps;
    const all = await database.withScope('all', async (tx) => {
      const [, done] = await Promise.all([
        options.wait && tx.query({ text: `set local lock_timeout = '${LOCK_TIMEOUT}'` }),
        applyOrders({ vault, storeAudio, agents: this.agents }, tx, orders, options),
      ]);
      return done;
    });
    if (all.some((applied) => applied?.woken === true)) notifier.notify('colloquy_wakes');
    for (const applied of all) if (applied?.news) tellNews(this.deps.log, applied.news);
    return all;
  }
}

const ALL = { limit: FACTS_AT_ONCE };

const factsOf = (all: (Applied | null)[]): number => all.reduce((sum, applied) => sum + (applied?.facts ?? 0), 0);

const MESSAGES = {
  parked: 'fact parked',
  failed: 'fact could not be applied; it will be tried again',
  postponed: 'audio could not be stored; its fact waits',
  gone: 'fact was applied by somebody else',
} as const;

const FIRST = `
select i.id, c.id as conversation_id from inbox i join conversation_identities c using (provider_account_id, identity_hash)
where provider_account_id = $1 and identity_hash = $2 and i.state = 'pending'
  and (retry_at is null or retry_at <= now()) order by received_at, i.id limit 1`;

async function outcomeOf(
  tx: Transaction,
  factId: string,
  error: unknown,
  reason: string,
): Promise<'postponed' | 'parked' | 'failed'> {
  // Not the fact's fault: it waits without being counted.
  if (error instanceof AudioNotStored) return postpone(tx, factId);
  return (await countFailure(tx, factId, reason)) ? 'parked' : 'failed';
}

const isAway = (error: unknown): boolean =>
  isStorageAway(error) ||
  (error instanceof AppError && (error.code === 'storage_unavailable' || error.code === 'keystore_unavailable'));

/** A code to log and to park by. Messages may quote values, so they are left out. */
function codeOf(error: unknown): string {
  if (error instanceof VaultError) return error.reason;
  if (error instanceof AppError) return error.code;
  if (typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string')
    return error.code;
  return error instanceof Error ? error.name : 'unknown';
}
