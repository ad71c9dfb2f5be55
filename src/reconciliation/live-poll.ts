// Polls the provider's list of live conversations, for providers that send no start webhook. Unknown ones are imported; known
// ones that are no longer listed are requested from the provider, earlier than their watchdog would.
import { Injectable } from '@nestjs/common';
import { SnapshotReader } from '../lifecycle/conversation-snapshot.js';
import { WorkerDatabase } from '../database/database.js';
import { FactWriter } from '../intake/fact-writer.js';
import { ProviderGateway } from '../providers/gateway/gateway.js';
import { NO_WAIT } from '../providers/gateway/retry-policy.js';
import { type ProviderAccount, ProviderAccounts } from '../providers/provider-accounts.js';
import { ProviderError, type ListPage, type ListQuery } from '../providers/provider.js';
import { providerNamed } from '../providers/providers.js';
import { VaultService } from '../vault/vault.service.js';
import { identifyListed, type Identified } from './identify-listed.js';
import { ListedIdentities } from './listed-identities.js';
import { Importer } from './importer.js';
import { forEachConcurrently } from '../common/concurrency.js';

/** Outcome of a poll: counts and a code. */
export interface PollOutcome {
  /** Null: the list could not be read. */
  live: number | null;
  added: number;
  asked: number;
  problem: string | null;
  /** `Retry-After`, milliseconds; null: the provider named none. */
  retryAfterMs: number | null;
}

/** A list may lag behind the provider's webhooks by this much. */
const QUIET_SECONDS = 5;
/** Pause between requests for a conversation that is no longer listed and has no end yet. */
const ASK_EVERY_MS = 15_000;
/** At most this many such requests per poll. */
const MAX_ASKED = 20;
/** Longer lists are cut off here: a faulty provider must not fill the memory. */
const MAX_LIVE = 20_000;
const MAX_PAGES = 200;

// Only conversations that have been silent for a few seconds: others may be newer than the list.
const KNOWN_LIVE = `
select c.id, encode(i.identity_hash, 'hex') as hash
from conversations c join conversation_identities i on i.id = c.id
where c.provider_account_id = $1 and c.status in ('ringing', 'active', 'transferring')
  and c.last_fact_at < now() - make_interval(secs => ${QUIET_SECONDS})`;

interface Poll {
  account: ProviderAccount;
  outcome: PollOutcome;
  signal: AbortSignal;
}

@Injectable()
export class LivePoll {
  /** Conversation → time of its last request, epoch milliseconds. Per process: at worst another worker requests it too. */
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

  /** Polls once. Failures of the provider are part of the outcome, not thrown: the next poll comes soon. */
  async poll(accountId: string, signal: AbortSignal): Promise<PollOutcome> {
    const outcome: PollOutcome = { live: null, added: 0, asked: 0, problem: null, retryAfterMs: null };
    const account = await this.accounts.find(accountId);
    if (account !== null && !account.isDeleted) await this.compareWithList({ account, outcome, signal });
    return outcome;
  }

  private compareWithList(poll: Poll): Promise<void> {
    const { account, outcome } = poll;
    return noteProblem(poll, async () => {
      // Read before the list, so that a conversation that appears meanwhile does not count as no longer listed.
      const known = await this.database.withScope('all', (tx) =>
        tx.query<{ id: string; hash: string }>({ name: 'known_live', text: KNOWN_LIVE, values: [account.id] }),
      );
      const live = await this.listLive(poll);
      outcome.live = live.length;
      await this.importUnknown(poll, live);
      const listed = new Set(live.map(({ identity }) => identity.hash.toString('hex')));
      await this.askFor(
        poll,
        known.filter(({ hash }) => !listed.has(hash)).map(({ id }) => id),
      );
    });
  }

  private async listLive({ account, signal, outcome }: Poll): Promise<Identified[]> {
    const provider = providerNamed(account.provider);
    const found: Identified[] = [];
    let pages = 0;
    for (const providerKind of provider.kinds) {
      let cursor: string | null = null;
      do {
        const query: ListQuery = { providerKind, from: null, to: null, live: true, cursor };
        const page: ListPage = await this.gateway.list(account, query, { signal, retry: NO_WAIT });
        for (const live of await identifyListed(this.vault, account, page.items)) found.push(live);
        cursor = page.next;
        pages += 1;
        if (found.length >= MAX_LIVE || pages >= MAX_PAGES) {
          outcome.problem = 'list_too_long';
          return found;
        }
      } while (cursor !== null);
    }
    return found;
  }

  private async importUnknown(poll: Poll, live: Identified[]): Promise<void> {
    const { account, outcome, signal } = poll;
    const all = await this.identities.known(live.map(({ identity }) => identity));
    const unknown = live.filter((_, index) => {
      const known = all[index];
      return known !== undefined && !known.isKnown && !known.isErased;
    });
    await forEachConcurrently(unknown, ({ listed, identity }) =>
      noteProblem(poll, async () => {
        const result = await this.importer.import({ account, listed, identity, by: 'poll', signal });
        if (result === 'added') outcome.added += 1;
      }),
    );
  }

  /** Requests conversations that are no longer listed. An end found this way signals the workflow like any other. */
  private async askFor(poll: Poll, conversationIds: string[]): Promise<void> {
    const now = Date.now();
    for (const [id, at] of this.askedAt) if (now - at > ASK_EVERY_MS) this.askedAt.delete(id);
    const due = conversationIds.filter((id) => !this.askedAt.has(id)).slice(0, MAX_ASKED);
    for (const id of due) this.askedAt.set(id, now);
    await forEachConcurrently(due, (id) => noteProblem(poll, () => this.askForOne(poll, id)));
  }

  private async askForOne({ account, outcome, signal }: Poll, conversationId: string): Promise<void> {
    const snapshot = await this.snapshots.read(conversationId);
    if (snapshot === null || snapshot.record.recordState !== 'open') return;
    outcome.asked += 1;
    const answer = await this.gateway.fetchRecord(account, snapshot, { signal, retry: NO_WAIT });
    if (answer.found) await this.facts.record(snapshot, answer.document);
  }
}

/** Records a failure of the provider in the outcome instead of throwing it, so that one conversation does not stop the others. */
async function noteProblem({ outcome, signal }: Poll, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof ProviderError) || signal.aborted) throw error;
    outcome.problem = error.problem;
    outcome.retryAfterMs = error.retryAfterMs ?? outcome.retryAfterMs;
  }
}
