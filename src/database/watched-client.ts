// A connection that notices when its server has gone silent: a failover without a reset leaves a socket on which the kernel
// retransmits for a quarter of an hour. One timer of the process looks at all connections, so that a query costs nothing more.
import type { Socket } from 'node:net';
import { Client, type ClientConfig } from 'pg';

const TICK_MS = 250;
/** For idle connections: after this, the kernel asks whether the other side is still there. */
const KEEP_ALIVE_MS = 10_000;

const watched = new Set<WatchedClient>();
let timer: NodeJS.Timeout | undefined;
let ticks = 0;

function look(): void {
  ticks += 1;
  for (const client of watched) client.look();
}

/** Connections to one server, which fall silent together: what one of them finds out counts for the idle others. */
export interface Watch {
  /** A connection is destroyed when an answer is due and not a byte arrives for this long; more than `statement_timeout`. */
  silenceMs: number;
}

const silentConnection = (): Error => Object.assign(new Error('the connection fell silent'), { code: 'ETIMEDOUT' });

/**
 * A client whose connection is destroyed, and all that is under way on it rejected, once the server owes an answer and is
 * silent for `silenceMs`. A connection is never used again after that: with pipelining, a late answer would be taken for the
 * answer to another query. Silence is counted in ticks, so a process that was itself held up blames nobody.
 */
export class WatchedClient extends Client {
  private readonly watch: Watch;
  private silenceMs: number;
  /** The tick since which an answer is due; null when none is. */
  private dueSince: number | null = null;
  private bytesRead = 0;
  /** The tick at which the last bytes were seen. */
  private heardAt = ticks;

  constructor(config: ClientConfig, watch: Watch) {
    super({ ...config, keepAlive: true, keepAliveInitialDelayMillis: KEEP_ALIVE_MS });
    this.watch = watch;
    this.silenceMs = watch.silenceMs;
    const send = this.query.bind(this) as (...query: unknown[]) => never;
    this.query = (...query: unknown[]): never => {
      this.dueSince ??= ticks;
      return send(...query);
    };
    this.on('drain', () => (this.dueSince = null));
    this.once('connect', () => this.start());
    this.once('end', () => this.stop());
  }

  /** Lets a statement that is known to take long be silent for `silenceMs`; without it, as long as all others again. */
  allowSilence(silenceMs: number = this.watch.silenceMs): void {
    this.silenceMs = silenceMs;
  }

  /** Ends the connection at once, whatever is under way: `error` and `end` follow. */
  destroy(reason: Error): void {
    this.stop();
    this.connection.stream.destroy(reason);
  }

  look(): void {
    const { bytesRead } = this.connection.stream as Socket;
    if (bytesRead !== this.bytesRead) {
      this.bytesRead = bytesRead;
      this.heardAt = ticks;
      return;
    }
    if (this.dueSince === null) return;
    const silentSince = Math.max(this.dueSince, this.heardAt);
    if ((ticks - silentSince) * TICK_MS < this.silenceMs) return;
    for (const other of watched) if (other.isSuspect(this.watch, silentSince)) other.destroy(silentConnection());
    this.destroy(silentConnection());
  }

  /** Idle, and not heard of since another connection to its server fell silent. */
  private isSuspect(watch: Watch, silentSince: number): boolean {
    return this.watch === watch && this.dueSince === null && this.heardAt <= silentSince;
  }

  private start(): void {
    this.heardAt = ticks;
    watched.add(this);
    timer ??= setInterval(look, TICK_MS).unref();
  }

  private stop(): void {
    watched.delete(this);
    if (watched.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  }
}

/** For a pool: a class of clients under one watch. */
export function watchedBy(watch: Watch): typeof Client {
  return class extends WatchedClient {
    constructor(config: ClientConfig) {
      super(config, watch);
    }
  };
}
