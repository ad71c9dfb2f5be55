// What a provider without a start webhook does not tell: its list is asked for live conversations. Unknown ones are made
// known, and known ones that it does not list any more are asked for before their watchdog would.
import { Injectable } from '@nestjs/common';
import { SnapshotReader } from '../lifecycle/conversation-snapshot.js';
import { WorkerDatabase } from '../database/database.js';
import { FactWriter } from '../intake/fact-writer.js';
import { ProviderGateway } from '../providers/gateway/gateway.js';
import { NOW_OR_NOT } from '../providers/gateway/persistence.js';
import { type ProviderAccount, ProviderAccounts } from '../providers/provider-accounts.js';
import { ProviderError, type ListedConversation, type ListPage, type ListQuery } from '../providers/provider.js';
import { providerNamed } from '../providers/providers.js';
import { VaultService } from '../vault/vault.service.js';
import { ListedIdentities } from './listed-identities.js';
import { Importer } from './importer.js';
import { forEachConcurrently } from '../common/concurrency.js';

/** What a look has found: counts and a code. */
export interface PollView {
  /** Null: the list could not be read. */
  live: number | null;
  added: number;
  asked: number;
  problem: string | null;
  /** How long the provider wants us to stay away, milliseconds; null: it did not say. */
  retryAfterMs: number | null;
}

/** A list may be a little behind what the provider said by webhook. */
const QUIET_SECONDS = 5;
/** How often a vanished one is asked for while the provider has no end of it. */
const ASK_EVERY_MS = 15_000;
/** At most so many of them a poll. */
const ASKED_AT_ONCE = 20;
/** Longer lists are read so far: a provider that lies must not fill the memory. */
const MOST_LIVE = 20_000;
const MOST_PAGES = 200;

// Started before the list was asked for, and silent since: else it may be newer than the list.
const KNOWN_LIVE = `
select c.id, encode(i.identity_hash, 'hex') as hash
from conversations c join conversation_identities i on i.id = c.id
where c.provider_account_id = $1 and c.status in ('ringing', 'active', 'transferring')
  and c.last_fact_at < now() - make_interval(secs => ${QUIET_SECONDS})`;

interface Poll {
  account: ProviderAccount;
  view: PollView;
  signal: AbortSignal;
}

interface Live {
  listed: ListedConversation;
  hash: Buffer;
}

@Injectable()
export class LivePoll {
  /** Conversation → when it was last asked for, epoch milliseconds. Of this process: at worst another one asks too. */
  private readonly askedAt = new Map<string, number>();

  constructor(
    private readonly database: WorkerDatabase,
    private readonly identities: ListedIdentities,
    private readonly importer: Importer,
    private readonly gateway: ProviderGateway,
    private readonly accounts: ProviderAccounts,
    private readonly facts: FactWriter,
    private readonly vault: VaultService,
    private readonly snapshots: SnapshotReader,
  ) {}

  /** One look. What the provider does not answer is said in the result: the next poll comes soon. */
  async poll(accountId: string, signal: AbortSignal): Promise<PollView> {
    const view: PollView = { live: null, added: 0, asked: 0, problem: null, retryAfterMs: null };
    const account = await this.accounts.find(accountId);
    if (account !== null && !account.isDeleted) await this.look({ account, view, signal });
    return view;
  }

  private look(poll: Poll): Promise<void> {
    const { account, view } = poll;
    return noting(poll, async () => {
      // Before the list, so that one which appears meanwhile does not count as vanished.
      const known = await this.database.withScope('all', (tx) =>
        tx.query<{ id: string; hash: string }>({ name: 'known_live', text: KNOWN_LIVE, values: [account.id] }),
      );
      const live = await this.listLive(poll);
      view.live = live.length;
      await this.makeKnown(poll, live);
      const listed = new Set(live.map(({ hash }) => hash.toString('hex')));
      await this.askFor(
        poll,
        known.filter(({ hash }) => !listed.has(hash)).map(({ id }) => id),
      );
    });
  }

  private async listLive({ account, signal, view }: Poll): Promise<Live[]> {
    const provider = providerNamed(account.provider);
    const hasher = await this.vault.identityHasher({ providerAccountId: account.id, clientId: account.clientId });
    const found: Live[] = [];
    let pages = 0;
    for (const providerKind of provider.kinds) {
      let cursor: string | null = null;
      do {
        const query: ListQuery = { providerKind, from: null, to: null, live: true, cursor };
        const page: ListPage = await this.gateway.list(account, query, { signal, worth: NOW_OR_NOT });
        for (const listed of page.items) {
          const hash = hasher.hash('provider_id', listed.providerKind, listed.providerId);
          found.push({ listed, hash });
        }
        cursor = page.next;
        pages += 1;
        if (found.length >= MOST_LIVE || pages >= MOST_PAGES) {
          view.problem = 'list_too_long';
          return found;
        }
      } while (cursor !== null);
    }
    return found;
  }

  private async makeKnown(poll: Poll, live: Live[]): Promise<void> {
    const { account, view, signal } = poll;
    const hashes = live.map(({ hash }) => hash);
    const all = await this.identities.known(account.id, hashes);
    const unknown = live.filter((_, index) => {
      const known = all[index];
      return known !== undefined && !known.isKnown && !known.isErased;
    });
    await forEachConcurrently(unknown, ({ listed, hash }) =>
      noting(poll, async () => {
        const outcome = await this.importer.bring({ account, listed, hash, by: 'poll', signal });
        if (outcome === 'added') view.added += 1;
      }),
    );
  }

  /** An end that is found here is told to the conversation's workflow like every other. */
  private async askFor(poll: Poll, conversationIds: string[]): Promise<void> {
    const now = Date.now();
    for (const [id, at] of this.askedAt) if (now - at > ASK_EVERY_MS) this.askedAt.delete(id);
    const due = conversationIds.filter((id) => !this.askedAt.has(id)).slice(0, ASKED_AT_ONCE);
    for (const id of due) this.askedAt.set(id, now);
    await forEachConcurrently(due, (id) => noting(poll, () => this.askForOne(poll, id)));
  }

  private async askForOne({ account, view, signal }: Poll, conversationId: string): Promise<void> {
    const snapshot = await this.snapshots.read(conversationId);
    if (snapshot === null || snapshot.record.recordState !== 'open') return;
    view.asked += 1;
    const answer = await this.gateway.fetchRecord(account, snapshot, { signal, worth: NOW_OR_NOT });
    if (answer.found) await this.facts.record(snapshot, answer.document);
  }
}

/** One conversation that the provider does not give is no reason to pass over the others: what it was is said in the result. */
async function noting({ view, signal }: Poll, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof ProviderError) || signal.aborted) throw error;
    view.problem = error.problem;
    view.retryAfterMs = error.retryAfterMs ?? view.retryAfterMs;
  }
}
