// Applies facts. It runs in every worker; conversations are shared out by their locks.
import { Inject, Injectable } from '@nestjs/common';
import { Batcher } from '../common/batcher.js';
import { Log } from '../common/log.js';
import { WorkerDatabase } from '../database/database.js';
import { Notifier } from '../database/notifier.js';
import { isStorageUnavailable } from '../database/failures.js';
import { WITHOUT_STORE } from '../inbox/lanes.js';
import type { Candidate } from '../inbox/pending-facts.js';
import { factHash } from '../inbox/receipts.js';
import { traceparent } from '../observability/tracing.js';
import { ProviderAccounts, type ProviderAccount } from '../providers/provider-accounts.js';
import { VaultService } from '../vault/vault.service.js';
import { Attempts } from './attempt.js';
import { AudioLane } from './audio-lane.js';
import { byConversation } from './batches.js';
import { FACTS_AT_ONCE, Lane } from './lane.js';
import type { ApplyResult, ApplyRequest, DirectFact } from './apply-request.js';
import { STORE_AUDIO, type StoreAudio } from './payload-audio.js';
import { PutOff } from './put-off.js';

/** One computes while the other is with Postgres. */
const PLAIN = { name: 'plain', loops: 2 } as const;
const LARGE = { name: 'large', loops: 1, together: 1 } as const;
const SLOW_NUDGE_MS = 50;
/** As above, for what workflows report: it comes one by one. */
const DIRECT_AT_ONCE = { maxItems: 8, concurrency: 4 };
const ALL = { lanes: WITHOUT_STORE, limit: FACTS_AT_ONCE };

@Injectable()
export class Intake {
  private readonly lanes: [plain: Lane, large: Lane, audio: AudioLane];
  private readonly attempts: Attempts;
  private slowNudge: NodeJS.Timeout | undefined;
  /** Direct facts that come at the same time share a commit. */
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
    this.attempts = new Attempts(deps, () => this.lanes[2].nudge());
    const parts = { ...deps, attempts: this.attempts, putOff: new PutOff(deps) };
    this.lanes = [new Lane(parts, PLAIN), new Lane(parts, LARGE), new AudioLane(parts)];
    this.directFacts = new Batcher((requests) => this.applyTogether(requests), DIRECT_AT_ONCE);
  }

  start(): void {
    for (const lane of this.lanes) lane.start();
  }

  /** There may be work: look at once instead of at the next poll. What is slow anyway is looked for less often. */
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

  /** Applies what waits for one conversation now; waits up to 2 s for its lock, then throws `storage_unavailable`. */
  async applyNow(candidate: Candidate): Promise<void> {
    await this.attempts.alone(await this.attempts.requestOf(candidate), ALL);
  }

  /**
   * Applies a fact of our own at once (`bytes` are those of its body), with what waits for its conversation. Null: the
   * conversation is reserved or unknown, and nothing was done. Throws `storage_unavailable` when it is locked for more than
   * 2 s, and what makes facts unappliable: then nothing is known of the fact either.
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
    const request = { ...(await this.attempts.requestOf(candidate)), direct: [direct] };
    return (await this.directFacts.add(request)) ?? this.attempts.alone(request, ALL);
  }

  /** One turn of each lane; resolves with how many facts were applied. */
  async round(): Promise<number> {
    let applied = 0;
    for (const lane of this.lanes) applied += await lane.round();
    return applied;
  }

  /** Null for those that were not carried out here: each of them then goes alone. */
  private async applyTogether(requests: ApplyRequest[]): Promise<(ApplyResult | null)[]> {
    const merged = byConversation(requests);
    try {
      const applied = await this.attempts.together([...merged.keys()], { wait: false, ...ALL });
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
