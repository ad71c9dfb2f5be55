// Processes the conversations on a page of an account's list: each is imported, known already, or skipped.
import { Injectable } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import { publicId } from '../common/ids.js';
import { Log } from '../common/log.js';
import { SnapshotReader } from '../lifecycle/conversation-snapshot.js';
import { FactWriter } from '../intake/fact-writer.js';
import { ProviderGateway } from '../providers/gateway/gateway.js';
import { PATIENT, AccountOnHold, PATIENT_ONCE } from '../providers/gateway/retry-policy.js';
import type { ProviderAccount } from '../providers/provider-accounts.js';
import { ProviderError, type ListedConversation } from '../providers/provider.js';
import { VaultService } from '../vault/vault.service.js';
import { scopeOf, maySkip, type ProbeResult } from '../providers/gateway/failure-scope.js';
import { identifyListed, type Identified } from './identify-listed.js';
import { ListedIdentities, type KnownIdentity } from './listed-identities.js';
import { Importer, type ImportResult } from './importer.js';

/** Pause before checking again on a conversation that somebody else is importing, milliseconds. */
const BUSY_MS = 1_000;

export interface Listed extends Identified {
  known: KnownIdentity;
}

/** `skipped`: why the conversation was skipped, as a code; null: it was not. */
export interface Outcome {
  added: boolean;
  skipped: string | null;
}

/** One attempt of the activity that walks the list. */
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

  /** The items of a page with what our tables know of each. */
  async lookUp(account: ProviderAccount, items: ListedConversation[]): Promise<Listed[]> {
    const identified = await identifyListed(this.vault, account, items);
    // A list that changes while it is paged may contain a conversation twice.
    const unique = [...new Map(identified.map((item) => [item.identity.hash.toString('hex'), item])).values()];
    const all = await this.identities.known(unique.map(({ identity }) => identity));
    return unique.flatMap((item, index) => {
      const known = all[index];
      return known === undefined ? [] : [{ ...item, known }];
    });
  }

  /** Imports or confirms one conversation, if needed. Throws ProviderError if not the conversation but the account is at fault. */
  async process(attempt: Attempt, item: Listed): Promise<Outcome> {
    attempt.signal.throwIfAborted();
    try {
      const result = await this.importOrConfirm(attempt, item);
      return { added: result === 'added', skipped: result === 'missing' ? 'provider_does_not_know_it' : null };
    } catch (error) {
      if (!(error instanceof ProviderError) || attempt.signal.aborted) throw error;
      if (!(await this.isItsOwn(error, attempt, item))) throw error;
      const { problem } = error;
      const account = publicId('providerAccount', attempt.account.id);
      this.log.warn('the provider lists a conversation but does not deliver it', { account, problem });
      return { added: false, skipped: problem };
    }
  }

  private async importOrConfirm(
    { account, signal }: Attempt,
    { listed, identity, known }: Listed,
  ): Promise<ImportResult> {
    if (known.isErased) return 'known';
    if (known.settledId !== null) return this.confirm(account, known.settledId, signal);
    if (known.isKnown) return 'known';
    for (;;) {
      const result = await this.importer.import({ account, listed, identity, by: 'backfill', signal });
      if (result !== 'busy') return result;
      await sleep(BUSY_MS, undefined, { signal });
    }
  }

  /** Fetches the record of a conversation that settled without it, because it was given up or the provider was unavailable. */
  private async confirm(account: ProviderAccount, conversationId: string, signal: AbortSignal): Promise<ImportResult> {
    const snapshot = await this.snapshots.read(conversationId);
    if (snapshot === null || snapshot.hasRecord) return 'known';
    const answer = await this.gateway.fetchRecord(account, snapshot, { signal, retry: PATIENT });
    if (!answer.found) return 'missing';
    await this.facts.record(snapshot, answer.document);
    return 'known';
  }

  /** Whether the failure concerns this conversation alone, not the account. */
  private async isItsOwn(error: ProviderError, attempt: Attempt, { identity }: Listed): Promise<boolean> {
    const scope = scopeOf(error);
    if (scope !== 'unclear') return scope === 'conversation';
    return maySkip(await this.probe(attempt, identity.hash), attempt.attempt);
  }

  /** Requests another conversation of the account, to see whether the account answers at all. */
  private async probe({ account, signal }: Attempt, hash: Buffer): Promise<ProbeResult> {
    const id = await this.identities.otherThan(account.id, hash);
    const snapshot = id === null ? null : await this.snapshots.read(id);
    if (snapshot === null) return 'unasked';
    try {
      await this.gateway.fetchRecord(account, snapshot, { signal, retry: PATIENT_ONCE });
      return 'answered';
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error;
      if (error instanceof AccountOnHold) return 'unasked';
      return scopeOf(error) === 'conversation' ? 'answered' : 'failed';
    }
  }
}
