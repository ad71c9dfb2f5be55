// Whether an account may be asked now: not while its provider wants us to stay away, and one at a time while its circuit is
// open. What this process learns is known to the others within a second.
import { publicId } from '../../common/ids.js';
import type { Log } from '../../common/log.js';
import { admission, afterAnswer, afterOutage, CLOSED } from './circuit.js';
import type { Clock } from '../../common/clock.js';
import { NotWelcome } from './persistence.js';
import { GOOD_STANDING, type Account, type Standing, type Standings } from './standings.js';

/** How long a standing is believed without another look, milliseconds. */
const HELD_MS = 1_000;
/** Accounts that are remembered; more are forgotten, which costs each a look. */
const MOST_ACCOUNTS = 10_000;

interface Dependencies {
  standings: Standings;
  clock: Clock;
  random: () => number;
  log: Log;
}

export interface Asker {
  /** The longest wait, milliseconds. */
  patienceMs: number;
  signal: AbortSignal;
  /** Recordings may lie elsewhere than the API: its circuit says nothing of them, and what their host wants nothing of it. */
  isDownload: boolean;
}

interface Known extends Standing {
  /** The same of whoever holds its recordings, as far as this process was told. */
  hostAway: Standing['away'];
  /** Epoch milliseconds; 0: look again. */
  readAt: number;
  reading: Promise<Known> | null;
}

export class AccountGate {
  private readonly known = new Map<string, Known>();

  constructor(private readonly deps: Dependencies) {}

  /** Resolves when the account may be asked. Throws {@link NotWelcome}, with the time that is left, instead of waiting long. */
  async wait({ id }: Account, { patienceMs, signal, isDownload }: Asker): Promise<void> {
    const { clock } = this.deps;
    for (;;) {
      const { status, until } = barrier(await this.look(id), isDownload, clock.now());
      const leftMs = until - clock.now();
      if (leftMs <= 0) return;
      if (leftMs > patienceMs) throw new NotWelcome(status, true, undefined, leftMs);
      await clock.sleep(leftMs, signal);
      this.forget(id);
    }
  }

  /** As {@link wait}, for the request that follows at once; true: it is the one trial of an open circuit. */
  async pass(account: Account, asker: Asker): Promise<boolean> {
    const { clock, standings } = this.deps;
    for (;;) {
      await this.wait(account, asker);
      const { circuit } = await this.look(account.id);
      if (asker.isDownload || admission(circuit, clock.now()) === 'go') return false;
      const isOurs = await standings.claimTrial(account.id);
      this.forget(account.id);
      if (isOurs) return true;
    }
  }

  /** The provider has answered, whatever it said. */
  async answered(account: Account): Promise<void> {
    const known = this.of(account.id);
    const wasOpen = known.circuit.state === 'open';
    known.circuit = afterAnswer();
    if (!wasOpen) return;
    this.deps.log.info('provider account answers again', { account: publicId('providerAccount', account.id) });
    await this.deps.standings.keepCircuit(account, CLOSED);
  }

  /** It has not answered, or not as it should. What was under way when the circuit opened changes nothing. */
  async failed(account: Account, status: number | null, isTrial: boolean): Promise<void> {
    const known = this.of(account.id);
    const { clock, random, log, standings } = this.deps;
    if (known.circuit.state === 'open' && !isTrial) return;
    known.circuit = afterOutage(known.circuit, status, clock.now(), random);
    if (known.circuit.state === 'closed') return;
    if (!isTrial) {
      const about = { account: publicId('providerAccount', account.id), status };
      log.warn('provider account does not answer; one question at a time tries it', about);
    }
    await standings.keepCircuit(account, known.circuit);
  }

  /** Whoever was asked wants us to stay away for so many milliseconds. */
  async heed(
    account: Account,
    { status, waitMs, isDownload }: { status: number | null; waitMs: number; isDownload: boolean },
  ): Promise<void> {
    const known = this.of(account.id);
    const away = { status, until: this.deps.clock.now() + waitMs };
    if (away.until <= (isDownload ? known.hostAway : known.away).until) return;
    if (isDownload) {
      known.hostAway = away;
      return;
    }
    known.away = away;
    await this.deps.standings.keepAway(account, away);
  }

  private of(accountId: string): Known {
    const known = this.known.get(accountId);
    if (known !== undefined) return known;
    if (this.known.size >= MOST_ACCOUNTS) this.known.clear();
    const made = { ...GOOD_STANDING, hostAway: GOOD_STANDING.away, readAt: 0, reading: null };
    this.known.set(accountId, made);
    return made;
  }

  private async look(accountId: string): Promise<Known> {
    const known = this.of(accountId);
    if (known.readAt !== 0 && this.deps.clock.now() - known.readAt < HELD_MS) return known;
    known.reading ??= this.read(accountId, known).finally(() => (known.reading = null));
    return known.reading;
  }

  private async read(accountId: string, known: Known): Promise<Known> {
    const { circuit, away } = await this.deps.standings.read(accountId);
    // Outages in a row are counted by each process for itself.
    const { failures } = known.circuit;
    known.circuit = circuit.state === 'closed' ? { ...circuit, failures } : circuit;
    known.away = away.until > known.away.until ? away : known.away;
    known.readAt = this.deps.clock.now();
    return known;
  }

  private forget(accountId: string): void {
    this.of(accountId).readAt = 0;
  }
}

/** What keeps such a request back for longest. */
function barrier({ circuit, away, hostAway }: Known, isDownload: boolean, now: number): Standing['away'] {
  const admitted = admission(circuit, now);
  const open = { status: circuit.status, until: typeof admitted === 'object' ? admitted.until : 0 };
  const other = isDownload ? hostAway : open;
  return away.until >= other.until ? away : other;
}
