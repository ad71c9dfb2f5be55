// The walk through an account's past: page by page of the provider's list, newest day first. Progress is kept in Postgres
// after every page, so that it goes on where it was, whoever goes on.
import { setTimeout as sleep } from 'node:timers/promises';
import { publicId } from '../common/ids.js';
import type { Log } from '../common/log.js';
import { NotYet } from '../conversations/not-yet.js';
import type { Situation } from '../conversations/situation.js';
import type { FactWriter } from '../intake/fact-writer.js';
import type { ProviderAccount, ProviderAccounts } from '../providers/provider-accounts.js';
import { ProviderError, type ListedConversation, type ListPage } from '../providers/provider.js';
import { providerNamed } from '../providers/providers.js';
import type { VaultService } from '../vault/vault.service.js';
import {
  BackfillChanged,
  nextPosition,
  windowFrom,
  type Backfill,
  type BackfillStore,
  type Counted,
} from './backfill-store.js';
import type { ListedIdentities, Standing } from './identities.js';
import type { Importer, Imported } from './import.js';
import type { RequestBudgets } from './request-budget.js';

/** Shown in the Temporal UI and used by the workflow: enumerations, counts and times only. */
export interface BackfillView {
  status: 'running' | 'completed' | 'failed' | 'none';
  from: string | null;
  to: string | null;
  doneUntil: string | null;
  checked: number;
  added: number;
  problem: string | null;
}

const LANES = 8;
/** Progress is written after so many conversations. */
const SLICE = 64;
/** A step takes about so long, so that history stays small where pages are. */
const STEP_MS = 20_000;
/** Between two looks at a conversation that somebody else is bringing in. */
const BUSY_MS = 1_000;

interface Dependencies {
  store: BackfillStore;
  identities: ListedIdentities;
  importer: Importer;
  budgets: RequestBudgets;
  accounts: ProviderAccounts;
  facts: FactWriter;
  vault: VaultService;
  read(conversationId: string): Promise<Situation | null>;
  log: Log;
}

interface Listed {
  listed: ListedConversation;
  hash: Buffer;
  standing: Standing;
}

interface Slice {
  counted: Counted;
  failure: { error: unknown } | null;
}

export class BackfillWalk {
  constructor(private readonly deps: Dependencies) {}

  /**
   * Walks on for a while. Throws ProviderError when the provider is away, NotYet when it says for how long; credentials that
   * it refuses end the backfill as `failed`, until the account is changed.
   */
  async step(accountId: string, signal: AbortSignal): Promise<BackfillView> {
    const until = Date.now() + STEP_MS;
    let view: BackfillView;
    do view = await this.page(accountId, signal);
    while (view.status === 'running' && Date.now() < until && !signal.aborted);
    return view;
  }

  private async page(accountId: string, signal: AbortSignal): Promise<BackfillView> {
    const account = await this.deps.accounts.find(accountId, { fresh: true });
    const backfill = await this.deps.store.begin(accountId);
    if (account === null || account.isDeleted || backfill === null) return NONE;
    if (backfill.status !== 'running') return viewOf(backfill);
    try {
      return viewOf(await this.walkPage(account, backfill, signal));
    } catch (error) {
      // Somebody changed the account meanwhile: the next page begins with what is there now.
      if (error instanceof BackfillChanged) return viewOf(backfill);
      throw error;
    }
  }

  private async walkPage(account: ProviderAccount, backfill: Backfill, signal: AbortSignal): Promise<Backfill> {
    const { store } = this.deps;
    let current = backfill;
    try {
      const { items, next } = await this.list(account, backfill, signal);
      const listed = await this.standingsOf(account, items);
      for (let from = 0; from < listed.length; from += SLICE) {
        const { counted, failure } = await this.slice(account, listed.slice(from, from + SLICE), signal);
        current = await store.count(current, counted);
        if (failure !== null) throw failure.error;
      }
      return await store.advance(current, nextPosition(current, providerNamed(account.provider).kinds, next));
    } catch (error) {
      if (!(error instanceof ProviderError) || signal.aborted) throw error;
      return this.stopped(current, error);
    }
  }

  /** A provider that is away is asked again; one that refuses us is not, until somebody has changed the account. */
  private async stopped(backfill: Backfill, error: ProviderError): Promise<Backfill> {
    const { problem } = error;
    this.deps.log.warn('backfill stands still', { account: publicId('providerAccount', backfill.accountId), problem });
    const after = await this.deps.store.trouble(backfill, error.retryable ? 'running' : 'failed', problem);
    if (!error.retryable) return after;
    if (error.retryAfterMs === null) throw error;
    // Temporal waits better than a process does, and shows it.
    throw new NotYet(`the provider, which answered ${error.status}`, error.retryAfterMs);
  }

  private list(account: ProviderAccount, backfill: Backfill, signal: AbortSignal): Promise<ListPage> {
    const provider = providerNamed(account.provider);
    const { kind, cursor, windowTo } = backfill.position;
    const query = {
      providerKind: kind ?? provider.kinds[0] ?? '',
      from: windowFrom(backfill).getTime(),
      to: windowTo.getTime(),
      live: false,
      cursor,
    };
    return this.deps.budgets.of(account.id).ask(() => provider.list(account.credentials, query), signal);
  }

  private async standingsOf(account: ProviderAccount, items: ListedConversation[]): Promise<Listed[]> {
    const hasher = await this.deps.vault.identityHasher({ providerAccountId: account.id, clientId: account.clientId });
    // A list that shifts while it is paged may name one twice.
    const byHash = new Map(
      items.map((listed) => {
        const hash = hasher.hash('provider_id', listed.providerKind, listed.providerId);
        return [hash.toString('hex'), { listed, hash }];
      }),
    );
    const unique = [...byHash.values()];
    const hashes = unique.map(({ hash }) => hash);
    const standings = await this.deps.identities.standings(account.id, hashes);
    return unique.flatMap((item, index) => {
      const standing = standings[index];
      return standing === undefined ? [] : [{ ...item, standing }];
    });
  }

  /** Several at once; after a failure no further one is begun, and what was done is counted all the same. */
  private async slice(account: ProviderAccount, listed: Listed[], signal: AbortSignal): Promise<Slice> {
    const queue = [...listed];
    const counted: Counted = { checked: 0, added: 0, skipped: 0 };
    let failure: Slice['failure'] = null;
    const lane = async (): Promise<void> => {
      for (let next = queue.shift(); next !== undefined && failure === null; next = queue.shift()) {
        try {
          const outcome = await this.one(account, next, signal);
          counted.checked += 1;
          if (outcome === 'added') counted.added += 1;
          if (outcome === 'missing') counted.skipped += 1;
        } catch (error) {
          failure ??= { error };
        }
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
    return { counted, failure };
  }

  private async one(account: ProviderAccount, item: Listed, signal: AbortSignal): Promise<Imported> {
    const { listed, hash, standing } = item;
    signal.throwIfAborted();
    if (standing.isErased) return 'known';
    if (standing.settledId !== null) return this.confirm(account, standing.settledId, signal);
    if (standing.isKnown) return 'known';
    for (;;) {
      const outcome = await this.oneOf(() =>
        this.deps.importer.bring({ account, listed, hash, by: 'backfill', signal }),
      );
      if (outcome !== 'busy') return outcome;
      await sleep(BUSY_MS, undefined, { signal });
    }
  }

  /** One that settled without the provider's record (given up, or away too long) gets it now. */
  private async confirm(account: ProviderAccount, conversationId: string, signal: AbortSignal): Promise<Imported> {
    const situation = await this.deps.read(conversationId);
    if (situation === null || situation.hasRecord) return 'known';
    const { providerKind, providerId } = situation;
    const provider = providerNamed(account.provider);
    return this.oneOf(async () => {
      const ask = (): ReturnType<typeof provider.fetchRecord> =>
        provider.fetchRecord(account.credentials, { providerKind, providerId });
      const answer = await this.deps.budgets.of(account.id).ask(ask, signal);
      if (!answer.found) return 'missing';
      await this.deps.facts.record(situation, answer.document);
      return 'known';
    });
  }

  /** A provider that refuses one conversation of many has not refused the others; without credentials it refuses all. */
  private async oneOf(work: () => Promise<Imported>): Promise<Imported> {
    try {
      return await work();
    } catch (error) {
      const isItsOwn =
        error instanceof ProviderError && !error.retryable && error.status !== 401 && error.status !== 403;
      if (!isItsOwn) throw error;
      this.deps.log.warn('the provider lists a conversation and does not give it', { status: error.status });
      return 'missing';
    }
  }
}

const NONE: BackfillView = {
  status: 'none',
  from: null,
  to: null,
  doneUntil: null,
  checked: 0,
  added: 0,
  problem: null,
};

const viewOf = ({ status, from, to, position, checked, added, problem }: Backfill): BackfillView => ({
  status: status === 'pending' ? 'running' : status,
  from: from.toISOString(),
  to: to.toISOString(),
  doneUntil: position.windowTo < to ? position.windowTo.toISOString() : null,
  checked,
  added,
  problem,
});
