// What becomes of the conversations on a page of an account's list: brought in, known already, or passed over.
import { Injectable } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import { publicId } from '../common/ids.js';
import { Log } from '../common/log.js';
import { SnapshotReader } from '../lifecycle/conversation-snapshot.js';
import { FactWriter } from '../intake/fact-writer.js';
import { ProviderGateway } from '../providers/gateway/gateway.js';
import { INSIST, NotWelcome, ONCE } from '../providers/gateway/persistence.js';
import type { ProviderAccount } from '../providers/provider-accounts.js';
import { ProviderError, type ListedConversation } from '../providers/provider.js';
import { VaultService } from '../vault/vault.service.js';
import { blameOf, mayPassOver, type ProbeResult } from '../providers/gateway/failure-scope.js';
import { ListedIdentities, type KnownIdentity } from './listed-identities.js';
import { Importer, type Imported } from './importer.js';

/** Between two looks at a conversation that somebody else is bringing in. */
const BUSY_MS = 1_000;

export interface Listed {
  listed: ListedConversation;
  hash: Buffer;
  known: KnownIdentity;
}

/** `skipped`: why it was passed over, as a code; null: it was not. */
export interface Outcome {
  added: boolean;
  skipped: string | null;
}

/** One attempt at a stretch of the list. */
export interface Attempt {
  account: ProviderAccount;
  /** From 1. */
  attempt: number;
  signal: AbortSignal;
}

@Injectable()
export class ListedConversations {
  constructor(
    private readonly identities: ListedIdentities,
    private readonly importer: Importer,
    private readonly gateway: ProviderGateway,
    private readonly facts: FactWriter,
    private readonly vault: VaultService,
    private readonly snapshots: SnapshotReader,
    private readonly log: Log,
  ) {}

  /** A page with what is known of each. */
  async knownOf(account: ProviderAccount, items: ListedConversation[]): Promise<Listed[]> {
    const hasher = await this.vault.identityHasher({ providerAccountId: account.id, clientId: account.clientId });
    // A list that shifts while it is paged may name one twice.
    const byHash = new Map(
      items.map((listed) => {
        const hash = hasher.hash('provider_id', listed.providerKind, listed.providerId);
        return [hash.toString('hex'), { listed, hash }];
      }),
    );
    const unique = [...byHash.values()];
    const hashes = unique.map(({ hash }) => hash);
    const all = await this.identities.known(account.id, hashes);
    return unique.flatMap((item, index) => {
      const known = all[index];
      return known === undefined ? [] : [{ ...item, known }];
    });
  }

  /** Sees to one of them. Throws ProviderError when it is not this one that is in the way, but the account. */
  async seeTo(attempt: Attempt, item: Listed): Promise<Outcome> {
    attempt.signal.throwIfAborted();
    try {
      const outcome = await this.bring(attempt, item);
      return { added: outcome === 'added', skipped: outcome === 'missing' ? 'provider_does_not_know_it' : null };
    } catch (error) {
      if (!(error instanceof ProviderError) || attempt.signal.aborted) throw error;
      if (!(await this.isItsOwn(error, attempt, item))) throw error;
      const { problem } = error;
      const account = publicId('providerAccount', attempt.account.id);
      this.log.warn('the provider lists a conversation and does not give it', { account, problem });
      return { added: false, skipped: problem };
    }
  }

  private async bring({ account, signal }: Attempt, { listed, hash, known }: Listed): Promise<Imported> {
    if (known.isErased) return 'known';
    if (known.settledId !== null) return this.confirm(account, known.settledId, signal);
    if (known.isKnown) return 'known';
    for (;;) {
      const outcome = await this.importer.bring({ account, listed, hash, by: 'backfill', signal });
      if (outcome !== 'busy') return outcome;
      await sleep(BUSY_MS, undefined, { signal });
    }
  }

  /** One that settled without the provider's record (given up, or away too long) gets it now. */
  private async confirm(account: ProviderAccount, conversationId: string, signal: AbortSignal): Promise<Imported> {
    const snapshot = await this.snapshots.read(conversationId);
    if (snapshot === null || snapshot.hasRecord) return 'known';
    const answer = await this.gateway.fetchRecord(account, snapshot, { signal, worth: INSIST });
    if (!answer.found) return 'missing';
    await this.facts.record(snapshot, answer.document);
    return 'known';
  }

  private async isItsOwn(error: ProviderError, attempt: Attempt, { hash }: Listed): Promise<boolean> {
    const blame = blameOf(error);
    if (blame !== 'unclear') return blame === 'conversation';
    return mayPassOver(await this.witness(attempt, hash), attempt.attempt);
  }

  /** Asks for another conversation of the account. */
  private async witness({ account, signal }: Attempt, hash: Buffer): Promise<ProbeResult> {
    const id = await this.identities.otherThan(account.id, hash);
    const snapshot = id === null ? null : await this.snapshots.read(id);
    if (snapshot === null) return 'unasked';
    try {
      await this.gateway.fetchRecord(account, snapshot, { signal, worth: ONCE });
      return 'answered';
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error;
      if (error instanceof NotWelcome) return 'unasked';
      return blameOf(error) === 'conversation' ? 'answered' : 'failed';
    }
  }
}
