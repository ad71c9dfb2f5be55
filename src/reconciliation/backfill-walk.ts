// The walk through an account's past: page by page of the provider's list, newest day first. Progress is kept in Postgres
// after every page, so that it goes on where it was, whoever goes on.
import { Injectable } from '@nestjs/common';
import { publicId } from '../common/ids.js';
import { Log } from '../common/log.js';
import { RetryLater } from '../lifecycle/retry-later.js';
import { ProviderGateway } from '../providers/gateway/gateway.js';
import { INSIST } from '../providers/gateway/persistence.js';
import { ProviderAccounts } from '../providers/provider-accounts.js';
import { ProviderError, type ListPage } from '../providers/provider.js';
import { providerNamed } from '../providers/providers.js';
import {
  BackfillChanged,
  nextPosition,
  windowFrom,
  type Backfill,
  BackfillStore,
  type Counted,
  type Skipped,
} from './backfill-store.js';
import type { BackfillProgress } from '../../workflows/reconciliation.workflow.js';
import { NO_PROGRESS, progressOf } from './backfill-progress.js';
import { forEachConcurrently } from '../common/concurrency.js';
import { type Attempt, ListedConversations, type Outcome } from './listed-conversations.js';

/** Progress is written after so many conversations. */
const SLICE = 64;
/** A step takes about so long, so that history stays small where pages are. */
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
   * Walks on for a while. Throws ProviderError when the provider is away, RetryLater when it says for how long; credentials that
   * it refuses end the backfill as `failed`, until the account is changed.
   */
  async step(accountId: string, options: Omit<Attempt, 'account'>): Promise<BackfillProgress> {
    const until = Date.now() + STEP_MS;
    let view: BackfillProgress;
    do view = await this.page(accountId, options);
    while (view.status === 'running' && Date.now() < until && !options.signal.aborted);
    return view;
  }

  private async page(accountId: string, options: Omit<Attempt, 'account'>): Promise<BackfillProgress> {
    const account = await this.accounts.find(accountId, { fresh: true });
    const backfill = await this.store.begin(accountId);
    if (account === null || account.isDeleted || backfill === null) return NO_PROGRESS;
    if (backfill.status !== 'running') return progressOf(backfill);
    try {
      return progressOf(await this.walkPage({ ...options, account }, backfill));
    } catch (error) {
      // Somebody changed the account meanwhile: the next page begins with what is there now.
      if (error instanceof BackfillChanged) return progressOf(backfill);
      throw error;
    }
  }

  private async walkPage(attempt: Attempt, backfill: Backfill): Promise<Backfill> {
    const { store, conversations } = this;
    const { account, signal } = attempt;
    let current = backfill;
    // Told with the page, so that one which is repeated counts nothing twice.
    const skipped: Skipped = {};
    try {
      const { items, next } = await this.list(attempt, backfill);
      const listed = await conversations.knownOf(account, items);
      for (let from = 0; from < listed.length; from += SLICE) {
        const counted: Counted = { checked: 0, added: 0 };
        try {
          await forEachConcurrently(listed.slice(from, from + SLICE), async (item) =>
            count(await conversations.seeTo(attempt, item), counted, skipped),
          );
        } finally {
          // What was done is done, whatever became of the rest.
          current = await store.count(current, counted);
        }
      }
      return await store.advance(current, nextPosition(current, providerNamed(account.provider).kinds, next), skipped);
    } catch (error) {
      if (!(error instanceof ProviderError) || signal.aborted) throw error;
      return this.stopped(current, error);
    }
  }

  /** A provider that is away is asked again; one that refuses us is not, until somebody has changed the account. */
  private async stopped(backfill: Backfill, error: ProviderError): Promise<Backfill> {
    const { problem } = error;
    this.log.warn('backfill stands still', { account: publicId('providerAccount', backfill.accountId), problem });
    const after = await this.store.trouble(backfill, error.retryable ? 'running' : 'failed', problem);
    if (!error.retryable) return after;
    if (error.retryAfterMs === null || error.retryAfterMs === 0) throw error;
    // Temporal waits better than a process does, and shows it.
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
    return this.gateway.list(account, query, { signal, worth: INSIST });
  }
}

function count({ added, skipped }: Outcome, counted: Counted, reasons: Skipped): void {
  counted.checked += 1;
  if (added) counted.added += 1;
  if (skipped !== null) reasons[skipped] = (reasons[skipped] ?? 0) + 1;
}
