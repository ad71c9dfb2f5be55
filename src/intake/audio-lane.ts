// The audio lane: facts that contain a recording. The recording is stored first, without any lock or transaction, then the fact
// is applied. A slow or failing object store only delays these facts.
import { errorFields, type Log } from '../common/log.js';
import { LoopedWork } from '../common/work-loop.js';
import type { WorkerDatabase } from '../database/database.js';
import { Candidates } from '../inbox/candidates.js';
import {
  claimAudio,
  peekIdentity,
  RENEW_MS,
  renewClaim,
  type Candidate,
  type PendingFact,
} from '../inbox/pending-facts.js';
import { postponeFact } from '../inbox/failed-facts.js';
import type { VaultService } from '../vault/vault.service.js';
import type { Applier } from './applier.js';
import { refOf } from './conversation-change.js';
import type { Fact } from '../reducer/fact.js';
import { POLL_MS } from './lane.js';
import { openFacts } from './open-facts.js';
import type { ApplyRequest } from './apply-request.js';
import { AudioNotStored, storePayloadAudio, type StoreAudio } from './payload-audio.js';
import type { FailureRecorder } from './failure-recorder.js';
import { StoreBreaker } from './store-breaker.js';
import { loadStates, openState, STATE_KEYS } from '../record-store/load-state.js';
import { ClaimCursor } from './claim-cursor.js';

/** Concurrent uploads; each has its whole payload in memory. */
const LOOPS = 2;
const CANDIDATES = 16;
/** Most facts that are remembered while their recordings are stored but they are not applied. */
const MAX_STORED = 1_000;

interface AudioLaneDependencies {
  database: WorkerDatabase;
  vault: VaultService;
  applier: Applier;
  failures: FailureRecorder;
  storeAudio: StoreAudio;
  log: Log;
}

export class AudioLane extends LoopedWork {
  private readonly claims: ClaimCursor;
  private readonly breaker = new StoreBreaker();
  /** Facts whose recordings are stored but which are not applied yet, by id, so that they are not stored twice. */
  private readonly stored = new Map<string, Fact>();

  constructor(private readonly deps: AudioLaneDependencies) {
    super(LOOPS, POLL_MS);
    this.claims = new ClaimCursor(new Candidates(deps.database, 'audio', CANDIDATES), LOOPS, 1);
  }

  /** Stores and applies one fact; resolves with how many facts were applied. */
  async round(): Promise<number> {
    const batch = await this.claims.claim();
    let applied = 0;
    try {
      for (const candidate of batch) applied += await this.storeAndApply(candidate);
      return applied;
    } finally {
      if (batch.length > 0) this.claims.release(batch, applied);
    }
  }

  protected override async runRound(): Promise<boolean> {
    if (!this.breaker.admit()) return false;
    try {
      return (await this.round()) > 0 || this.claims.hasMore;
    } catch (error) {
      this.deps.log.error('failed to store the audio of webhooks, retrying', {}, error);
      return false;
    } finally {
      this.breaker.unused();
    }
  }

  private async storeAndApply(candidate: Candidate): Promise<number> {
    const { applier, database, failures } = this.deps;
    const claimed = await claimAudio({ query: (statement) => database.once('all', statement) }, candidate);
    if (claimed === undefined) return 0;
    const renewing = setInterval(() => this.renew(claimed.id), RENEW_MS);
    try {
      const request = await applier.requestOf(candidate);
      const fact = this.stored.get(claimed.id) ?? (await this.storeAudio(request, claimed));
      const applied = await applier.applyOne({ ...request, opened: new Map([[claimed.id, fact]]) }, ONLY_OPENED);
      this.stored.delete(claimed.id);
      if (applied !== null) return applied.facts;
      await database.withScope('all', (tx) => postponeFact(tx, claimed.id));
    } catch (error) {
      if (error instanceof AudioNotStored) this.breaker.failed();
      await failures.recordForFact(candidate, claimed.id, error);
    } finally {
      clearInterval(renewing);
    }
    return 0;
  }

  /** If a renewal fails, another worker may store a second copy of the recording, which is swept later. */
  private renew(factId: string): void {
    const { database, log } = this.deps;
    renewClaim({ query: (statement) => database.once('all', statement) }, factId).catch((error: unknown) =>
      log.warn('failed to renew the claim of a fact with audio', { err: errorFields(error) }),
    );
  }

  /** Stores the recordings of a fact and returns it; null: its conversation is erased, so nothing is stored. */
  private async storeAudio({ account, candidate }: ApplyRequest, pending: PendingFact): Promise<Fact | null> {
    const { database, vault, storeAudio } = this.deps;
    const [identity, stored] = await database.withScope('all', (tx) =>
      Promise.all([peekIdentity(tx, candidate), loadStates(tx, [candidate])]),
    );
    const row = stored.get(0);
    if (account === null || identity === undefined || row === undefined)
      throw new Error('the account or conversation of this fact no longer exists');
    if (identity.state !== 'live' || row.is_suppressed) return null;
    const owner = refOf({ identity, account });
    const [keys, facts] = await Promise.all([
      vault.conversationKeys(owner, STATE_KEYS),
      openFacts(vault, account, [pending]),
    ]);
    const key = keys.get('audio');
    const registers = openState(row, keys)?.state.registers ?? {};
    const [fact = null] = await storePayloadAudio(storeAudio, { owner, key, facts, registers });
    this.breaker.succeeded();
    if (fact !== null) this.remember(pending.id, fact);
    return fact;
  }

  private remember(id: string, fact: Fact): void {
    const [oldest] = this.stored.keys();
    if (this.stored.size >= MAX_STORED && oldest !== undefined) this.stored.delete(oldest);
    this.stored.set(id, fact);
  }
}

/** Applies only the opened fact. */
const ONLY_OPENED = { lanes: [], limit: 1 };
