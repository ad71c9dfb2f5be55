// The lane of facts that hold a recording: it is stored first, with no lock and no transaction open, and only then is the fact
// applied. A store that hangs or fails keeps nothing waiting but these facts.
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
import { postponeFact } from '../inbox/put-off.js';
import type { VaultService } from '../vault/vault.service.js';
import type { Attempts } from './attempt.js';
import { refOf } from './conversation-change.js';
import type { Fact } from '../reducer/fact.js';
import { POLL_MS } from './lane.js';
import { openFacts } from './open-facts.js';
import type { ApplyRequest } from './apply-request.js';
import { AudioNotStored, storePayloadAudio, type StoreAudio } from './payload-audio.js';
import type { PutOff } from './put-off.js';
import { StoreBreaker } from './store-breaker.js';
import { loadStates, openState } from '../record-store/load-state.js';
import { ClaimCursor } from './claim-cursor.js';

/** Uploads at once: each has its whole payload in memory. */
const LOOPS = 2;
const CANDIDATES = 16;
/** Facts whose recordings are stored, while they could not be applied yet. */
const MAX_DONE = 1_000;

interface AudioLaneDependencies {
  database: WorkerDatabase;
  vault: VaultService;
  attempts: Attempts;
  putOff: PutOff;
  storeAudio: StoreAudio;
  log: Log;
}

export class AudioLane extends LoopedWork {
  private readonly line: ClaimCursor;
  private readonly breaker = new StoreBreaker();
  /** Stored, not yet applied: by the fact's id. They are not stored a second time. */
  private readonly done = new Map<string, Fact>();

  constructor(private readonly deps: AudioLaneDependencies) {
    super(LOOPS, POLL_MS);
    this.line = new ClaimCursor(new Candidates(deps.database, 'audio', CANDIDATES), LOOPS, 1);
  }

  /** Stores and applies one fact; resolves with how many facts were applied. */
  async round(): Promise<number> {
    const batch = await this.line.take();
    let applied = 0;
    try {
      for (const candidate of batch) applied += await this.one(candidate);
      return applied;
    } finally {
      if (batch.length > 0) this.line.giveBack(batch, applied);
    }
  }

  protected override async runRound(): Promise<boolean> {
    if (!this.breaker.admit()) return false;
    try {
      return (await this.round()) > 0 || this.line.hasMore;
    } catch (error) {
      this.deps.log.error('storing the audio of webhooks failed; trying again', {}, error);
      return false;
    } finally {
      this.breaker.withdrawn();
    }
  }

  private async one(candidate: Candidate): Promise<number> {
    const { attempts, database, putOff } = this.deps;
    const claimed = await claimAudio({ query: (statement) => database.once('all', statement) }, candidate);
    if (claimed === undefined) return 0;
    const renewing = setInterval(() => this.renew(claimed.id), RENEW_MS);
    try {
      const request = await attempts.requestOf(candidate);
      const fact = this.done.get(claimed.id) ?? (await this.prepared(request, claimed));
      const applied = await attempts.alone({ ...request, opened: new Map([[claimed.id, fact]]) }, NOTHING_ELSE);
      this.done.delete(claimed.id);
      if (applied !== null) return applied.facts;
      await database.withScope('all', (tx) => postponeFact(tx, claimed.id));
    } catch (error) {
      if (error instanceof AudioNotStored) this.breaker.failed();
      await putOff.fact(candidate, claimed.id, error);
    } finally {
      clearInterval(renewing);
    }
    return 0;
  }

  /** A renewal that fails costs at most a second copy of the recording, which is swept. */
  private renew(factId: string): void {
    const { database, log } = this.deps;
    renewClaim({ query: (statement) => database.once('all', statement) }, factId).catch((error: unknown) =>
      log.warn('the claim of a fact with audio was not renewed', { err: errorFields(error) }),
    );
  }

  /** The fact with its recordings stored; null: its conversation was erased, and nothing of it may be. */
  private async prepared({ account, candidate }: ApplyRequest, pending: PendingFact): Promise<Fact | null> {
    const { database, vault, storeAudio } = this.deps;
    const [identity, stored] = await database.withScope('all', (tx) =>
      Promise.all([peekIdentity(tx, candidate), loadStates(tx, [candidate])]),
    );
    const row = stored.get(0);
    if (account === null || identity === undefined || row === undefined) throw new Error('whose fact it is, is gone');
    if (identity.state !== 'live') return null;
    const owner = refOf({ identity, account });
    const [keys, facts] = await Promise.all([
      vault.conversationKeys(owner, ['record', 'audio']),
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
    const [oldest] = this.done.keys();
    if (this.done.size >= MAX_DONE && oldest !== undefined) this.done.delete(oldest);
    this.done.set(id, fact);
  }
}

const NOTHING_ELSE = { lanes: [], limit: 1 };
