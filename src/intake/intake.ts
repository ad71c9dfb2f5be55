// Applies facts. It runs in every worker; conversations are shared out by their locks.
import { Batcher } from '../common/batcher.js';
import { isStorageAway } from '../database/failures.js';
import { WITHOUT_STORE } from '../inbox/lanes.js';
import type { Candidate } from '../inbox/pending-facts.js';
import { factHash } from '../inbox/receipts.js';
import { traceparent } from '../observability/tracing.js';
import type { ProviderAccount } from '../providers/provider-accounts.js';
import { Attempts, type AttemptDependencies } from './attempt.js';
import { AudioLane } from './audio-lane.js';
import { byConversation } from './batches.js';
import { FACTS_AT_ONCE, Lane } from './lane.js';
import type { Applied, Order, SaidFact } from './apply-request.js';
import type { StoreAudio } from './payload-audio.js';
import { PutOff } from './put-off.js';

/** One computes while the other is with Postgres. */
const PLAIN = { name: 'plain', loops: 2 } as const;
const LARGE = { name: 'large', loops: 1, together: 1 } as const;
const SLOW_NUDGE_MS = 50;
/** As above, for what workflows say: they come one by one. */
const SAID_AT_ONCE = { maxItems: 8, concurrency: 4 };
const ALL = { lanes: WITHOUT_STORE, limit: FACTS_AT_ONCE };

interface IntakeDependencies extends AttemptDependencies {
  /** Lays audio that came inside a webhook into the store of recordings. */
  storeAudio: StoreAudio;
}

export class Intake {
  private readonly lanes: [plain: Lane, large: Lane, audio: AudioLane];
  private readonly attempts: Attempts;
  private slowNudge: NodeJS.Timeout | undefined;
  /** What is said at the same time shares a commit. */
  private readonly saying: Batcher<Order, Applied | null>;

  constructor(private readonly deps: IntakeDependencies) {
    this.attempts = new Attempts(deps, () => this.lanes[2].nudge());
    const parts = { ...deps, attempts: this.attempts, putOff: new PutOff(deps) };
    this.lanes = [new Lane(parts, PLAIN), new Lane(parts, LARGE), new AudioLane(parts)];
    this.saying = new Batcher((orders) => this.sayTogether(orders), SAID_AT_ONCE);
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
    await this.attempts.alone(await this.attempts.orderOf(candidate), ALL);
  }

  /**
   * Applies a fact as it is said (`bytes` are those of its body), with what waits for its conversation. Null: the
   * conversation is reserved or unknown, and nothing was done. Throws `storage_unavailable` when it is locked for more than
   * 2 s, and what makes facts unappliable: then nothing is known of the fact either.
   */
  async say(
    { account, identityHash }: { account: ProviderAccount; identityHash: Buffer },
    fact: Pick<SaidFact, 'source' | 'kind' | 'body'>,
    bytes: Buffer,
  ): Promise<Applied | null> {
    const owner = { providerAccountId: account.id, clientId: account.clientId };
    const hasher = await this.deps.vault.identityHasher(owner);
    const hash = factHash(hasher, { source: fact.source, identityHash, body: bytes });
    const said: SaidFact = { ...fact, hash, receivedAt: new Date(), traceparent: traceparent() };
    const candidate = { provider_account_id: account.id, identity_hash: identityHash };
    const order = { ...(await this.attempts.orderOf(candidate)), said: [said] };
    return (await this.saying.add(order)) ?? this.attempts.alone(order, ALL);
  }

  /** One turn of each lane; resolves with how many facts were applied. */
  async round(): Promise<number> {
    let applied = 0;
    for (const lane of this.lanes) applied += await lane.round();
    return applied;
  }

  /** Null for those that were not carried out here: each of them then goes alone. */
  private async sayTogether(orders: Order[]): Promise<(Applied | null)[]> {
    const merged = byConversation(orders);
    try {
      const applied = await this.attempts.together([...merged.keys()], { wait: false, ...ALL });
      const byOrder = new Map([...merged.keys()].map((key, index) => [key, applied[index] ?? null]));
      const outcomes = new Map(
        [...merged].flatMap(([key, parts]) => parts.map((part) => [part, byOrder.get(key) ?? null])),
      );
      return orders.map((order) => outcomes.get(order) ?? null);
    } catch (error) {
      if (isStorageAway(error)) throw error;
      return orders.map(() => null);
    }
  }
}
