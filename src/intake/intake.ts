// The loop that applies facts. It runs in every worker; conversations are shared out by their locks.
import { AppError } from '../common/errors.js';
import type { Log } from '../common/log.js';
import { WorkLoop } from '../common/work-loop.js';
import type { WorkerDatabase } from '../database/database.js';
import { isStorageAway } from '../database/failures.js';
import type { Notifier } from '../database/notifier.js';
import type { Transaction } from '../database/with-scope.js';
import { countFailure, findCandidates, postpone, type Candidate } from '../inbox/pending.js';
import type { ProviderAccounts } from '../providers/provider-accounts.js';
import { VaultError } from '../vault/errors.js';
import type { VaultService } from '../vault/vault.service.js';
import { publicId } from '../common/ids.js';
import { factParked } from '../observability/metrics.js';
import { tellNews } from './news.js';
import { AudioNotStored, type StoreAudio } from './payload-audio.js';
import { applyPending, type Applied, type ApplyOptions } from './apply.js';

const POLL_MS = 1_000;
/** Conversations under way at once: each waits for Postgres most of the time, and commits share a sync. */
const CONCURRENCY = 8;
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
  private readonly loop = new WorkLoop(() => this.work(), POLL_MS);

  constructor(private readonly deps: IntakeDependencies) {}

  start(): void {
    this.loop.start();
  }

  /** There may be work: look at once instead of at the next poll. */
  nudge(): void {
    this.loop.nudge();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  /** Applies what waits for one conversation now; waits up to 2 s for its lock, then throws `storage_unavailable`. */
  async applyNow(candidate: Candidate): Promise<void> {
    await this.attempt(candidate, { wait: true, limit: FACTS_AT_ONCE });
  }

  /** One round over all that waits; resolves with how many facts were applied. */
  async round(): Promise<number> {
    const candidates = await this.deps.database.withScope('all', (tx) => findCandidates(tx, CANDIDATES));
    let applied = 0;
    const queue = [...candidates];
    const lane = async (): Promise<void> => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) applied += await this.applyOrBlame(next);
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, lane));
    return applied;
  }

  private async work(): Promise<boolean> {
    try {
      return (await this.round()) > 0;
    } catch (error) {
      this.deps.log.error('intake round failed; trying again', {}, error);
      return false;
    }
  }

  private async applyOrBlame(candidate: Candidate): Promise<number> {
    try {
      return (await this.attempt(candidate, { wait: false, limit: FACTS_AT_ONCE })).facts;
    } catch (error) {
      if (isAway(error)) throw error;
      return this.oneByOne(candidate);
    }
  }

  /** A batch failed: its facts are tried alone, so that the bad one is counted and its neighbours are applied. */
  private async oneByOne(candidate: Candidate): Promise<number> {
    let applied = 0;
    for (;;) {
      try {
        const { facts } = await this.attempt(candidate, { wait: false, limit: 1 });
        if (facts === 0) return applied;
        applied += facts;
      } catch (error) {
        if (isAway(error)) throw error;
        await this.blame(candidate, error);
      }
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

  private async attempt(candidate: Candidate, options: ApplyOptions): Promise<Applied> {
    const { database, notifier, vault, accounts, storeAudio } = this.deps;
    // Before the transaction: one that holds a connection and asks for a second can starve the pool.
    const account = await accounts.find(candidate.provider_account_id);
    const applied = await database
      .withScope('all', async (tx) => {
        const [, done] = await Promise.all([
          options.wait && tx.query({ text: `set local lock_timeout = '${LOCK_TIMEOUT}'` }),
          applyPending({ vault, account, storeAudio }, tx, candidate, options),
        ]);
        return done;
      })
      .catch((error: unknown) => {
        throw isLockTimeout(error) ? busy(error) : error;
      });
    if (applied.woken) notifier.notify('colloquy_wakes');
    if (applied.news !== null) tellNews(this.deps.log, applied.news);
    return applied;
  }
}

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

/** https://www.postgresql.org/docs/18/errcodes-appendix.html: lock_not_available. */
const isLockTimeout = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && 'code' in error && error.code === '55P03';

const busy = (cause: unknown): AppError =>
  new AppError('storage_unavailable', 'the conversation is being written by somebody else; try again', { cause });

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
