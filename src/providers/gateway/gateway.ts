// The one caller of provider APIs: whoever wants a record, a list or a recording asks here.
import type { ProviderAccount } from '../provider-accounts.js';
import { providerApi } from '../provider-apis.js';
import type { ListPage, ListQuery, ProviderAnswer, RecordingStream } from '../provider.js';
import type { Persistence, RequestBudgets } from './request-budget.js';

/** How a question is asked. */
export interface Asking {
  /** Aborted: nobody wants the answer any more. */
  signal?: AbortSignal;
  /** How often it is asked, and how long it waits for its turn. Absent: once and at once. */
  worth?: Persistence;
}

export class ProviderGateway {
  constructor(private readonly budgets: RequestBudgets) {}

  /** The provider's record of a conversation. Throws ProviderError. */
  fetchRecord(
    account: ProviderAccount,
    { providerKind, providerId }: { providerKind: string; providerId: string },
    asking: Asking = {},
  ): Promise<ProviderAnswer> {
    return this.ask(account, asking, () =>
      providerApi(account.provider).fetchRecord(account.credentials, { providerKind, providerId }),
    );
  }

  /** One page of the account's list. Throws ProviderError. */
  list(account: ProviderAccount, query: ListQuery, asking: Asking = {}): Promise<ListPage> {
    return this.ask(account, asking, () => providerApi(account.provider).list(account.credentials, query));
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
      use(await providerApi(account.provider).openRecording(account.credentials, source, asking.signal)),
    );
  }

  private ask<Answer>(
    account: ProviderAccount,
    { signal = NEVER, worth }: Asking,
    request: () => Promise<Answer>,
  ): Promise<Answer> {
    return worth === undefined ? request() : this.budgets.of(account.id).ask(request, signal, worth);
  }
}

const NEVER = new AbortController().signal;
