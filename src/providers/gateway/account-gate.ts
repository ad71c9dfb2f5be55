// Decides whether a request to an account may be sent now: not before the time of a `Retry-After`, and one at a time while the
// account's circuit is open. Other processes learn within a second what this one learns.
import { publicId } from '../../common/ids.js';
import type { Log } from '../../common/log.js';
import { admission, afterAnswer, afterOutage, CLOSED } from './circuit.js';
import type { Clock } from '../../common/clock.js';
import { AccountOnHold } from './retry-policy.js';
import { HEALTHY, type Account, type AccountState, type AccountStates } from './account-states.js';

/** How long a state is cached, milliseconds. */
const CACHED_MS = 1_000;
/** Accounts in the cache; beyond that it is emptied, which costs each account a read. */
const MAX_ACCOUNTS = 10_000;

interface Dependencies {
  states: AccountStates;
  clock: Clock;
  random: () => number;
  log: Log;
}

export interface WaitOptions {
  /** The longest wait, milliseconds. */
  patienceMs: number;
  signal: AbortSignal;
  /** Recordings may be on another host than the API: neither the API's circuit nor its host's `Retry-After` apply to each other. */
  isDownload: boolean;
}

interface Known extends AccountState {
  /** `away` of the host of its recordings; known to this process only. */
  hostAway: AccountState['away'];
  /** Epoch milliseconds; 0: read again. */
  readAt: number;
  reading: Promise<Known> | null;
}

export class AccountGate {
  private readonly known = new Map<string, Known>();

  constructor(private readonly deps: Dependencies) {}

  /** Resolves when a request may be sent. Throws {@link AccountOnHold}, with the remaining time, instead of waiting too long. */
  async wait({ id }: Account, { patienceMs, signal, isDownload }: WaitOptions): Promise<void> {
    const { clock } = this.deps;
    for (;;) {
      const { status, until } = barrier(await this.stateOf(id), isDownload, clock.now());
      const leftMs = until - clock.now();
      if (leftMs <= 0) return;
      if (leftMs > patienceMs) throw new AccountOnHold(status, true, undefined, leftMs);
      await clock.sleep(leftMs, signal);
      this.forget(id);
    }
  }

  /** Like {@link wait}, right before sending a request. True: the request is the single trial of an open circuit. */
  async pass(account: Account, asker: WaitOptions): Promise<boolean> {
    const { clock, states } = this.deps;
    for (;;) {
      await this.wait(account, asker);
      const { circuit } = await this.stateOf(account.id);
      if (asker.isDownload || admission(circuit, clock.now()) === 'go') return false;
      const isOurs = await states.claimTrial(account.id);
      this.forget(account.id);
      if (isOurs) return true;
    }
  }

  /** The provider has answered, with whatever status. */
  async answered(account: Account): Promise<void> {
    const known = this.of(account.id);
    const wasOpen = known.circuit.state === 'open';
    known.circuit = afterAnswer();
    if (!wasOpen) return;
    this.deps.log.info('provider account answers again', { account: publicId('providerAccount', account.id) });
    await this.deps.states.keepCircuit(account, CLOSED);
  }

  /** An outage. Requests that were under way when the circuit opened change nothing. */
  async failed(account: Account, status: number | null, isTrial: boolean): Promise<void> {
    const known = this.of(account.id);
    const { clock, random, log, states } = this.deps;
    if (known.circuit.state === 'open' && !isTrial) return;
    known.circuit = afterOutage(known.circuit, status, clock.now(), random);
    if (known.circuit.state === 'closed') return;
    if (!isTrial) {
      const about = { account: publicId('providerAccount', account.id), status };
      log.warn('provider account does not answer; trying it with one request at a time', about);
    }
    await states.keepCircuit(account, known.circuit);
  }

  /** Holds back all requests to the account, or to the host of its recordings, for `waitMs`. */
  async hold(
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
    await this.deps.states.keepAway(account, away);
  }

  private of(accountId: string): Known {
    const known = this.known.get(accountId);
    if (known !== undefined) return known;
    if (this.known.size >= MAX_ACCOUNTS) this.known.clear();
    const made = { ...HEALTHY, hostAway: HEALTHY.away, readAt: 0, reading: null };
    this.known.set(accountId, made);
    return made;
  }

  private async stateOf(accountId: string): Promise<Known> {
    const known = this.of(accountId);
    if (known.readAt !== 0 && this.deps.clock.now() - known.readAt < CACHED_MS) return known;
    known.reading ??= this.read(accountId, known).finally(() => (known.reading = null));
    return known.reading;
  }

  private async read(accountId: string, known: Known): Promise<Known> {
    const { circuit, away } = await this.deps.states.read(accountId);
    // Each process counts consecutive outages by itself.
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

/** What holds such a request back for the longest time. */
function barrier({ circuit, away, hostAway }: Known, isDownload: boolean, now: number): AccountState['away'] {
  const admitted = admission(circuit, now);
  const open = { status: circuit.status, until: typeof admitted === 'object' ? admitted.until : 0 };
  const other = isDownload ? hostAway : open;
  return away.until >= other.until ? away : other;
}
