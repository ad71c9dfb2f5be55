// The one caller of provider APIs: whoever wants a record, a list or a recording asks here.
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
import type { Persistence, RequestBudgets } from './request-budget.js';

/** How a question is asked. */
export interface Asking {
  /** Aborted: nobody wants the answer any more. */
  signal?: AbortSignal;
  /** How often it is asked, and how long it waits for its turn. Absent: once and at once. */
  worth?: Persistence;
}

export class ProviderGateway {
  /** Account → when it last answered a witness, epoch milliseconds. */
  private readonly answeredAt = new Map<string, number>();

  constructor(
    private readonly budgets: RequestBudgets,
    private readonly egress: Transport,
    private readonly now: () => number = () => Date.now(),
  ) {}

  /** The provider's record of a conversation. Throws ProviderError. */
  fetchRecord(
    account: ProviderAccount,
    { providerKind, providerId }: { providerKind: string; providerId: string },
    asking: Asking = {},
  ): Promise<ProviderAnswer> {
    return this.ask(account, asking, () =>
      providerApi(account.provider).fetchRecord(this.connectionOf(account), { providerKind, providerId }),
    );
  }

  /** One page of the account's list. Throws ProviderError. */
  list(account: ProviderAccount, query: ListQuery, asking: Asking = {}): Promise<ListPage> {
    return this.ask(account, asking, () => providerApi(account.provider).list(this.connectionOf(account), query));
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
    return this.ask(account, asking, async () =>
      use(await providerApi(account.provider).openRecording(this.connectionOf(account), source, asking.signal)),
    );
  }

  /**
   * Whether the account itself answers, asked before a 404 ends a conversation: null when it does, else what is in the way
   * as a code. An answer holds for a second, so that many conversations that are gone at once cost few requests.
   */
  async witness(account: ProviderAccount, providerKind: string, asking: Asking = {}): Promise<string | null> {
    const now = this.now();
    for (const [id, at] of this.answeredAt) if (now - at > WITNESS_HOLDS_MS) this.answeredAt.delete(id);
    if (this.answeredAt.has(account.id)) return null;
    try {
      await this.list(account, { providerKind, from: null, to: null, live: false, cursor: null, limit: 1 }, asking);
    } catch (error) {
      if (error instanceof ProviderError) return error.problem;
      throw error;
    }
    this.answeredAt.set(account.id, this.now());
    return null;
  }

  private connectionOf({ credentials }: ProviderAccount): ProviderConnection {
    return { ...credentials, egress: this.egress };
  }

  private ask<Answer>(
    account: ProviderAccount,
    { signal = NEVER, worth }: Asking,
    request: () => Promise<Answer>,
  ): Promise<Answer> {
    return worth === undefined ? request() : this.budgets.of(account.id).ask(request, signal, worth);
  }
}

/** How long the account counts as answering, milliseconds. */
const WITNESS_HOLDS_MS = 1_000;
const NEVER = new AbortController().signal;
