// The one caller of provider APIs: whoever wants a record, a list or a recording asks here. It keeps an account's request
// budget, `Retry-After` and circuit, which all processes share, and how many requests of this process are under way.
import type { Transport } from '../../egress/egress.js';
import type { ProviderAccount } from '../provider-accounts.js';
import { providerApi } from '../provider-apis.js';
import {
  ProviderError,
  type ListPage,
  type ListQuery,
  type ProviderAnswer,
  type ProviderConnection,
  type RecordingStream,
} from '../provider.js';
import { askable } from '../storable.js';
import type { AccountGate, Asker } from './account-gate.js';
import { isOutage } from './circuit.js';
import type { Clock } from '../../common/clock.js';
import { concernsAccount, NotWelcome, retryWait, SOON, TooManyUnderWay, type Persistence } from './persistence.js';
import { Returns } from './returns.js';
import type { Turns } from './shared-budget.js';
import { Slots } from './slots.js';

/** How a question is asked. */
export interface Asking {
  /** Aborted: nobody wants the answer any more. */
  signal?: AbortSignal;
  /** How often it is asked, and how long it waits for its turn. Absent: once and soon. */
  worth?: Persistence;
}

interface Dependencies {
  gate: AccountGate;
  turns: Turns;
  clock: Clock;
  random: () => number;
  egress: Transport;
}

/** Under way at once for an account in this process. Downloads apart: slow audio must not keep records waiting. */
const QUESTIONS = 32;
const DOWNLOADS = 16;
/** Of all accounts of a client: less than a worker has slots (temporal-worker.ts), so that some are left to others. */
const DOWNLOADS_OF_CLIENT = 20;
/** The least wait of a question for a place, milliseconds. */
const PLACE_MS = 1_000;
/** How long the account counts as answering, milliseconds. */
const WITNESS_HOLDS_MS = 1_000;
const NEVER = new AbortController().signal;

export class ProviderGateway {
  private readonly questions = new Slots(QUESTIONS);
  private readonly downloads = new Slots(DOWNLOADS);
  private readonly downloadsOfClient = new Slots(DOWNLOADS_OF_CLIENT);
  private readonly returns: Returns;
  /** Account → when it last answered a witness, epoch milliseconds. */
  private readonly answeredAt = new Map<string, number>();

  constructor(private readonly deps: Dependencies) {
    this.returns = new Returns(deps);
  }

  /** The provider's record of a conversation. Throws ProviderError. */
  fetchRecord(
    account: ProviderAccount,
    { providerKind, providerId }: { providerKind: string; providerId: string },
    asking: Asking = {},
  ): Promise<ProviderAnswer> {
    return this.ask(account, 'question', asking, () =>
      providerApi(account.provider).fetchRecord(this.connectionOf(account), { providerKind, providerId }),
    );
  }

  /** One page of the account's list. Throws ProviderError. */
  list(account: ProviderAccount, query: ListQuery, asking: Asking = {}): Promise<ListPage> {
    return this.ask(account, 'question', asking, async () =>
      askable(await providerApi(account.provider).list(this.connectionOf(account), query)),
    );
  }

  /**
   * Opens a recording and hands it to `use`, which reads it to its end; tried again with `use`. `source` is what a payload
   * claimed. Throws ProviderError, and what `use` throws.
   */
  download<Result>(
    account: ProviderAccount,
    source: string,
    asking: Asking & { signal: AbortSignal },
    use: (recording: RecordingStream) => Promise<Result>,
  ): Promise<Result> {
    return this.ask(account, 'download', asking, async () =>
      use(await providerApi(account.provider).openRecording(this.connectionOf(account), source, asking.signal)),
    );
  }

  /**
   * Whether the account itself answers, asked before a 404 ends a conversation: null when it does, else what is in the way
   * as a code. An answer holds for a second, so that many conversations that are gone at once cost few requests.
   */
  async witness(account: ProviderAccount, providerKind: string, asking: Asking = {}): Promise<string | null> {
    const now = this.deps.clock.now();
    for (const [id, at] of this.answeredAt) if (now - at > WITNESS_HOLDS_MS) this.answeredAt.delete(id);
    if (this.answeredAt.has(account.id)) return null;
    try {
      await this.list(account, { providerKind, from: null, to: null, live: false, cursor: null, limit: 1 }, asking);
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
   * Sends a request when it may go. 429, and every `Retry-After`, keeps all requests of the account back; a retryable failure
   * is tried again as often as it is worth, then thrown. Throws {@link NotWelcome} instead of waiting for longer than it is
   * worth, {@link TooManyUnderWay} where no place gets free. Rejects when `signal` is aborted while it waits.
   */
  private async ask<Answer>(
    account: ProviderAccount,
    kind: 'question' | 'download',
    { signal = NEVER, worth = SOON }: Asking,
    request: () => Promise<Answer>,
  ): Promise<Answer> {
    const { gate, clock, random } = this.deps;
    const asker: Asker = { patienceMs: worth.patienceMs, signal, isDownload: kind === 'download' };
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.once(account, asker, request);
      } catch (error) {
        if (!(error instanceof ProviderError) || !error.retryable || wasNotSent(error)) throw error;
        const waitMs = retryWait(error, attempt, random);
        const { status } = error;
        if (concernsAccount(error)) await gate.heed(account, { status, waitMs, isDownload: asker.isDownload });
        if (attempt >= worth.attempts || waitMs > worth.patienceMs) throw error;
        if (!concernsAccount(error)) await clock.sleep(waitMs, signal);
      }
    }
  }

  private async once<Answer>(account: ProviderAccount, asker: Asker, request: () => Promise<Answer>): Promise<Answer> {
    const { gate, turns } = this.deps;
    const { signal, isDownload } = asker;
    await gate.wait(account, asker);
    // Before its turn: who finds no place must not use up one.
    const release = await this.place(account, asker);
    try {
      await turns.turn(account.id, signal);
      // Others may have been told to stay away meanwhile.
      const isTrial = await gate.pass(account, asker);
      signal.throwIfAborted();
      return await (isDownload ? request() : this.question(account, isTrial, request));
    } finally {
      release();
    }
  }

  /** A place for a request; what gives it back. Throws {@link TooManyUnderWay}. */
  private async place(account: ProviderAccount, asker: Asker): Promise<() => void> {
    const { patienceMs, signal, isDownload } = asker;
    const release = isDownload
      ? await takeBoth(
          (waits) => this.downloads.take(account.id, waits, signal),
          (waits) => this.downloadsOfClient.take(account.clientId, waits, signal),
          patienceMs,
        )
      : await this.questions.take(account.id, Math.max(PLACE_MS, patienceMs), signal);
    if (release === null) throw new TooManyUnderWay(this.returns.next(account.id));
    return release;
  }

  /** What a question comes to is the account's as well. */
  private async question<Answer>(
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

const wasNotSent = (error: ProviderError): boolean => error instanceof NotWelcome || error instanceof TooManyUnderWay;

type Take = (patienceMs: number) => Promise<(() => void) | null>;

/** One place of each, or null and none. */
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
