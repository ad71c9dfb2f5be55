// The only caller of provider APIs, for records, lists and recordings. It applies an account's request budget, `Retry-After` and
// circuit, which all processes share, and limits the concurrent requests of this process.
import type { Transport } from '../../egress/egress.js';
import type { ProviderAccount } from '../provider-accounts.js';
import { providerApi } from '../provider-apis.js';
import {
  ProviderError,
  type ListPage,
  type ListQuery,
  type FetchedRecord,
  type ProviderConnection,
  type RecordingStream,
} from '../provider.js';
import { requestable } from '../storable.js';
import type { AccountGate, WaitOptions } from './account-gate.js';
import { isOutage } from './circuit.js';
import type { Clock } from '../../common/clock.js';
import { concernsAccount, AccountOnHold, retryWait, QUICK, NoFreeSlot, type RetryPolicy } from './retry-policy.js';
import { RetrySpacing } from './retry-spacing.js';
import type { RequestBudget } from './shared-budget.js';
import { Slots } from './slots.js';

/** How a request is made. */
export interface RequestOptions {
  /** Aborted when nobody needs the response any more. */
  signal?: AbortSignal;
  /** Absent: one attempt that waits for at most two seconds. */
  retry?: RetryPolicy;
}

interface Dependencies {
  gate: AccountGate;
  budget: RequestBudget;
  clock: Clock;
  random: () => number;
  egress: Transport;
}

/** Concurrent requests per account in this process. Downloads are separate: slow audio must not delay records. */
const MAX_QUERIES = 32;
const MAX_DOWNLOADS = 16;
/** Over all accounts of a client; fewer than the worker's slots (temporal-worker.ts), so that some are left to other clients. */
const MAX_DOWNLOADS_OF_CLIENT = 20;
/** Shortest wait of a query for a slot, milliseconds. */
const MIN_SLOT_WAIT_MS = 1_000;
/** How long a successful probe is valid, milliseconds. */
const PROBE_VALID_MS = 1_000;
const NEVER = new AbortController().signal;

export class ProviderGateway {
  private readonly queries = new Slots(MAX_QUERIES);
  private readonly downloads = new Slots(MAX_DOWNLOADS);
  private readonly downloadsOfClient = new Slots(MAX_DOWNLOADS_OF_CLIENT);
  private readonly spacing: RetrySpacing;
  /** Account → when it last answered a probe, epoch milliseconds. */
  private readonly answeredAt = new Map<string, number>();

  constructor(private readonly deps: Dependencies) {
    this.spacing = new RetrySpacing(deps);
  }

  /** The provider's record of a conversation. Throws ProviderError. */
  fetchRecord(
    account: ProviderAccount,
    { providerKind, providerId }: { providerKind: string; providerId: string },
    options: RequestOptions = {},
  ): Promise<FetchedRecord> {
    return this.ask(account, 'query', options, () =>
      providerApi(account.provider).fetchRecord(this.connectionOf(account), { providerKind, providerId }),
    );
  }

  /** One page of the account's list. Throws ProviderError. */
  list(account: ProviderAccount, query: ListQuery, options: RequestOptions = {}): Promise<ListPage> {
    return this.ask(account, 'query', options, async () =>
      requestable(await providerApi(account.provider).list(this.connectionOf(account), query)),
    );
  }

  /**
   * Opens a recording and passes it to `use`, which reads it to the end; a retry calls `use` again. `source` comes from the claims
   * of a document. Throws ProviderError, and what `use` throws.
   */
  download<Result>(
    account: ProviderAccount,
    source: string,
    options: RequestOptions & { signal: AbortSignal },
    use: (recording: RecordingStream) => Promise<Result>,
  ): Promise<Result> {
    return this.ask(account, 'download', options, async () =>
      use(await providerApi(account.provider).openRecording(this.connectionOf(account), source, options.signal)),
    );
  }

  /**
   * Checks whether the account itself answers, before a 404 ends a conversation: null if it does, else the problem as a code. A
   * successful probe is valid for a second, so that many conversations that disappear at once cost few requests.
   */
  async probe(account: ProviderAccount, providerKind: string, options: RequestOptions = {}): Promise<string | null> {
    const now = this.deps.clock.now();
    for (const [id, at] of this.answeredAt) if (now - at > PROBE_VALID_MS) this.answeredAt.delete(id);
    if (this.answeredAt.has(account.id)) return null;
    try {
      await this.list(account, { providerKind, from: null, to: null, live: false, cursor: null, limit: 1 }, options);
    } catch (error) {
      if (error instanceof ProviderError) return error.problem;
      throw error;
    }
    this.answeredAt.set(account.id, this.deps.clock.now());
    return null;
  }

  private connectionOf({ credentials }: ProviderAccount): ProviderConnection {
    return { ...credentials, egress: this.deps.egress };
  }

  /**
   * Sends a request as soon as it may be sent. 429, and every `Retry-After`, holds back all requests of the account. A retryable
   * failure is retried as `retry` allows, then thrown. Throws {@link AccountOnHold} instead of waiting longer than `retry` allows,
   * and {@link NoFreeSlot} if no slot becomes free. Rejects if `signal` is aborted while waiting.
   */
  private async ask<Answer>(
    account: ProviderAccount,
    kind: 'query' | 'download',
    { signal = NEVER, retry = QUICK }: RequestOptions,
    request: () => Promise<Answer>,
  ): Promise<Answer> {
    const { gate, clock, random } = this.deps;
    const asker: WaitOptions = { patienceMs: retry.patienceMs, signal, isDownload: kind === 'download' };
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.once(account, asker, request);
      } catch (error) {
        if (!(error instanceof ProviderError) || !error.retryable || wasNotSent(error)) throw error;
        const waitMs = retryWait(error, attempt, random);
        const { status } = error;
        if (concernsAccount(error)) await gate.hold(account, { status, waitMs, isDownload: asker.isDownload });
        if (attempt >= retry.attempts || waitMs > retry.patienceMs) throw error;
        if (!concernsAccount(error)) await clock.sleep(waitMs, signal);
      }
    }
  }

  private async once<Answer>(
    account: ProviderAccount,
    asker: WaitOptions,
    request: () => Promise<Answer>,
  ): Promise<Answer> {
    const { gate, budget } = this.deps;
    const { signal, isDownload } = asker;
    await gate.wait(account, asker);
    // Before taking from the budget, so that a request without a slot costs none of it.
    const release = await this.takeSlot(account, asker);
    try {
      await budget.take(account.id, signal);
      // Another request may have received a Retry-After meanwhile.
      const isTrial = await gate.pass(account, asker);
      signal.throwIfAborted();
      return await (isDownload ? request() : this.query(account, isTrial, request));
    } finally {
      release();
    }
  }

  /** Takes a slot; resolves with the function that releases it. Throws {@link NoFreeSlot}. */
  private async takeSlot(account: ProviderAccount, asker: WaitOptions): Promise<() => void> {
    const { patienceMs, signal, isDownload } = asker;
    const release = isDownload
      ? await takeBoth(
          (waits) => this.downloads.take(account.id, waits, signal),
          (waits) => this.downloadsOfClient.take(account.clientId, waits, signal),
          patienceMs,
        )
      : await this.queries.take(account.id, Math.max(MIN_SLOT_WAIT_MS, patienceMs), signal);
    if (release === null) throw new NoFreeSlot(this.spacing.next(account.id));
    return release;
  }

  /** Sends a query and records its outcome in the state of the account. */
  private async query<Answer>(
    account: ProviderAccount,
    isTrial: boolean,
    request: () => Promise<Answer>,
  ): Promise<Answer> {
    const { gate } = this.deps;
    let answer: Answer;
    try {
      answer = await request();
    } catch (error) {
      if (error instanceof ProviderError && isOutage(error)) await gate.failed(account, error.status, isTrial);
      else if (error instanceof ProviderError && error.status !== null) await gate.answered(account);
      throw error;
    }
    await gate.answered(account);
    return answer;
  }
}

const wasNotSent = (error: ProviderError): boolean => error instanceof AccountOnHold || error instanceof NoFreeSlot;

type Take = (patienceMs: number) => Promise<(() => void) | null>;

/** One slot of each, or null and neither. */
async function takeBoth(first: Take, second: Take, patienceMs: number): Promise<(() => void) | null> {
  const releaseFirst = await first(patienceMs);
  if (releaseFirst === null) return null;
  const releaseSecond = await second(patienceMs).catch((error: unknown) => {
    releaseFirst();
    throw error;
  });
  if (releaseSecond === null) {
    releaseFirst();
    return null;
  }
  return () => {
    releaseSecond();
    releaseFirst();
  };
}
