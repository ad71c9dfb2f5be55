// Intake: applies facts from the inbox. Runs in every worker; row locks divide the conversations among workers.
import { Inject, Injectable } from '@nestjs/common';
import { Batcher } from '../common/batcher.js';
import { Log } from '../common/log.js';
import { WorkerDatabase } from '../database/database.js';
import { Notifier } from '../database/notifier.js';
import { isStorageUnavailable } from '../database/failures.js';
import { LANES_WITHOUT_AUDIO } from '../inbox/lanes.js';
import type { Candidate } from '../inbox/pending-facts.js';
import { factHash } from '../inbox/receipts.js';
import { traceparent } from '../observability/tracing.js';
import { ProviderAccounts, type ProviderAccount } from '../providers/provider-accounts.js';
import { VaultService } from '../vault/vault.service.js';
import { Applier } from './applier.js';
import { AudioLane } from './audio-lane.js';
import { byConversation } from './batches.js';
import { FACTS_AT_ONCE, Lane } from './lane.js';
import type { ApplyResult, ApplyRequest, DirectFact } from './apply-request.js';
import { STORE_AUDIO, type StoreAudio } from './payload-audio.js';
import { FailureRecorder } from './failure-recorder.js';

/** Two loops: one computes while the other waits for PostgreSQL. */
const PLAIN = { name: 'plain', loops: 2 } as const;
const LARGE = { name: 'large', loops: 1, maxConversations: 1 } as const;
const SLOW_NUDGE_MS = 50;
/** Batches of direct facts. */
const DIRECT_LIMITS = { maxItems: 8, concurrency: 4 };
const ALL = { lanes: LANES_WITHOUT_AUDIO, limit: FACTS_AT_ONCE };

@Injectable()
export class Intake {
  private readonly lanes: [plain: Lane, large: Lane, audio: AudioLane];
  private readonly applier: Applier;
  private slowNudge: NodeJS.Timeout | undefined;
  private committed: () => void = () => undefined;
  /** Concurrent direct facts share a commit. */
  private readonly directFacts: Batcher<ApplyRequest, ApplyResult | null>;

  constructor(
    database: WorkerDatabase,
    notifier: Notifier,
    private readonly vault: VaultService,
    accounts: ProviderAccounts,
    @Inject(STORE_AUDIO) storeAudio: StoreAudio,
    log: Log,
  ) {
    const deps = { database, notifier, vault, accounts, storeAudio, log };
    this.applier = new Applier(deps, {
      onAudio: () => this.lanes[2].nudge(),
      onCommit: () => this.committed(),
    });
    const parts = { ...deps, applier: this.applier, failures: new FailureRecorder(deps) };
    this.lanes = [new Lane(parts, PLAIN), new Lane(parts, LARGE), new AudioLane(parts)];
    this.directFacts = new Batcher((requests) => this.applyTogether(requests), DIRECT_LIMITS);
  }

  start(): void {
    for (const lane of this.lanes) lane.start();
  }

  /** Calls `listener` whenever facts were applied and committed. */
  onCommit(listener: () => void): void {
    this.committed = listener;
  }

  /** There may be work: do not wait for the next poll. The slow lanes are nudged less often. */
  nudge(): void {
    const [plain, ...slow] = this.lanes;
    plain.nudge();
    this.slowNudge ??= setTimeout(() => {
      this.slowNudge = undefined;
      for (const lane of slow) lane.nudge();
    }, SLOW_NUDGE_MS);
  }

  async stop(): Promise<void> {
    clearTimeout(this.slowNudge);
    await Promise.all(this.lanes.map((lane) => lane.stop()));
  }

  /** Applies the pending facts of one conversation now. Waits up to 2 s for its lock, then throws `storage_unavailable`. */
  async applyNow(candidate: Candidate): Promise<void> {
    await this.applier.applyOne(await this.applier.requestOf(candidate), ALL);
  }

  /**
   * Applies a fact of our own at once, together with the pending facts of its conversation; `bytes` is its encoded body. Null:
   * the conversation is reserved or unknown, and nothing was done. Throws `storage_unavailable` if it stays locked for more
   * than 2 s, and whatever prevents facts from being applied; then the fact is not stored either.
   */
  async applyDirect(
    { account, identityHash }: { account: ProviderAccount; identityHash: Buffer },
    fact: Pick<DirectFact, 'source' | 'kind' | 'body'>,
    bytes: Buffer,
  ): Promise<ApplyResult | null> {
    const owner = { providerAccountId: account.id, clientId: account.clientId };
    const hasher = await this.vault.identityHasher(owner);
    const hash = factHash(hasher, { source: fact.source, identityHash, body: bytes });
    const direct: DirectFact = { ...fact, hash, receivedAt: new Date(), traceparent: traceparent() };
    const candidate = { provider_account_id: account.id, identity_hash: identityHash };
    const request = { ...(await this.applier.requestOf(candidate)), direct: [direct] };
    return (await this.directFacts.add(request)) ?? this.applier.applyOne(request, ALL);
  }

  /** One round of each lane; resolves with the number of applied facts. */
  async round(): Promise<number> {
    let applied = 0;
    for (const lane of this.lanes) applied += await lane.round();
    return applied;
  }

  /** Null for requests that were not applied here; each is then applied alone. */
  private async applyTogether(requests: ApplyRequest[]): Promise<(ApplyResult | null)[]> {
    const merged = byConversation(requests);
    try {
      const applied = await this.applier.applyBatch([...merged.keys()], { wait: false, ...ALL });
      const byRequest = new Map([...merged.keys()].map((key, index) => [key, applied[index] ?? null]));
      const outcomes = new Map(
        [...merged].flatMap(([key, parts]) => parts.map((part) => [part, byRequest.get(key) ?? null])),
      );
      return requests.map((request) => outcomes.get(request) ?? null);
    } catch (error) {
      if (isStorageUnavailable(error)) throw error;
      return requests.map(() => null);
    }
  }
}
