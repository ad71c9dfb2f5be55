// Walks through an account's past, page by page of the provider's list, newest day first. Progress is stored in Postgres, so
// that any worker can continue.
import { Injectable } from '@nestjs/common';
import { publicId } from '../common/ids.js';
import { Log } from '../common/log.js';
import { RetryLater } from '../lifecycle/retry-later.js';
import { ProviderGateway } from '../providers/gateway/gateway.js';
import { PATIENT } from '../providers/gateway/retry-policy.js';
import { ProviderAccounts } from '../providers/provider-accounts.js';
import { ProviderError, type ListPage } from '../providers/provider.js';
import { providerNamed } from '../providers/providers.js';
import {
  BackfillChanged,
  nextPosition,
  windowFrom,
  type Backfill,
  BackfillStore,
  type Counts,
  type Skipped,
} from './backfill-store.js';
import type { BackfillProgress } from '../../workflows/reconciliation.workflow.js';
import { NO_PROGRESS, progressOf } from './backfill-progress.js';
import { forEachConcurrently } from '../common/concurrency.js';
import { type Attempt, ListedConversations, type Outcome } from './listed-conversations.js';

/** Progress is written after this many conversations. */
const SLICE = 64;
/** A step takes about this long: small pages would otherwise make the workflow's history long. */
const STEP_MS = 20_000;

@Injectable()
export class BackfillWalk {
  constructor(
    private readonly store: BackfillStore,
    private readonly conversations: ListedConversations,
    private readonly gateway: ProviderGateway,
    private readonly accounts: ProviderAccounts,
    private readonly log: Log,
  ) {}

  /**
   * Walks for a while. Throws ProviderError if the provider is unavailable, RetryLater if it named a time. Refused credentials end
   * the backfill as `failed`, until the account is changed.
   */
  async step(accountId: string, options: Omit<Attempt, 'account'>): Promise<BackfillProgress> {
    const until = Date.now() + STEP_MS;
    let progress: BackfillProgress;
    do progress = await this.page(accountId, options);
    while (progress.status === 'running' && Date.now() < until && !options.signal.aborted);
    return progress;
  }

  private async page(accountId: string, options: Omit<Attempt, 'account'>): Promise<BackfillProgress> {
    const account = await this.accounts.find(accountId, { fresh: true });
    const backfill = await this.store.begin(accountId);
    if (account === null || account.isDeleted || backfill === null) return NO_PROGRESS;
    if (backfill.status !== 'running') return progressOf(backfill);
    try {
      return progressOf(await this.walkPage({ ...options, account }, backfill));
    } catch (error) {
      // The account was changed meanwhile: the next page begins by reading it again.
      if (error instanceof BackfillChanged) return progressOf(backfill);
      throw error;
    }
  }

  private async walkPage(attempt: Attempt, backfill: Backfill): Promise<Backfill> {
    const { store, conversations } = this;
    const { account, signal } = attempt;
    let current = backfill;
    // Written together with the page, so that a repeated page counts nothing twice.
    const skipped: Skipped = {};
    try {
      const { items, next } = await this.list(attempt, backfill);
      const listed = await conversations.lookUp(account, items);
      for (let from = 0; from < listed.length; from += SLICE) {
        const counts: Counts = { checked: 0, added: 0 };
        try {
          await forEachConcurrently(listed.slice(from, from + SLICE), async (item) =>
            count(await conversations.process(attempt, item), counts, skipped),
          );
        } finally {
          // Also after a failure: what was done stays done.
          current = await store.count(current, counts);
        }
      }
      return await store.advance(current, nextPosition(current, providerNamed(account.provider).kinds, next), skipped);
    } catch (error) {
      if (!(error instanceof ProviderError) || signal.aborted) throw error;
      return this.stopped(current, error);
    }
  }

  /** An unavailable provider is asked again later; one that refuses our credentials only after the account has been changed. */
  private async stopped(backfill: Backfill, error: ProviderError): Promise<Backfill> {
    const { problem } = error;
    this.log.warn('backfill is blocked', { account: publicId('providerAccount', backfill.accountId), problem });
    const after = await this.store.recordProblem(backfill, error.retryable ? 'running' : 'failed', problem);
    if (!error.retryable) return after;
    if (error.retryAfterMs === null || error.retryAfterMs === 0) throw error;
    // Let Temporal wait: it survives restarts and shows the wait in its UI.
    throw new RetryLater(`the provider, which answered ${error.status}`, error.retryAfterMs);
  }

  private list({ account, signal }: Attempt, backfill: Backfill): Promise<ListPage> {
    const provider = providerNamed(account.provider);
    const { kind, cursor, windowTo } = backfill.position;
    const query = {
      providerKind: kind ?? provider.kinds[0] ?? '',
      from: windowFrom(backfill).getTime(),
      to: windowTo.getTime(),
      live: false,
      cursor,
    };
    return this.gateway.list(account, query, { signal, retry: PATIENT });
  }
}

function count({ added, skipped }: Outcome, counts: Counts, reasons: Skipped): void {
  counts.checked += 1;
  if (added) counts.added += 1;
  if (skipped !== null) reasons[skipped] = (reasons[skipped] ?? 0) + 1;
}
