// A pg client that notices when its server stops answering: after a failover without a TCP reset, the kernel would retransmit
// for a quarter of an hour. One timer per process checks all connections, so that queries cost nothing extra.
import type { Socket } from 'node:net';
import { Client, type ClientConfig } from 'pg';

const TICK_MS = 250;
/** TCP keep-alive of idle connections. */
const KEEP_ALIVE_MS = 10_000;

const watched = new Set<WatchedClient>();
let timer: NodeJS.Timeout | undefined;
let ticks = 0;

function checkAll(): void {
  ticks += 1;
  for (const client of watched) client.check();
}

/** Shared by all connections to one server: when one of them is found dead, idle ones are closed too. */
export interface Watch {
  /** A connection is destroyed if an answer is due and no byte arrives for this long; more than `statement_timeout`. */
  silenceMs: number;
}

const silentConnection = (): Error => Object.assign(new Error('the server stopped answering'), { code: 'ETIMEDOUT' });

/**
 * Destroys its connection, and rejects all pending queries, once an answer is due and the server is silent for `silenceMs`.
 * The connection is not used again: with pipelining, a late answer would be taken for that of another query. Silence is
 * counted in ticks of the timer, so that a blocked event loop does not look like a silent server.
 */
export class WatchedClient extends Client {
  private readonly watch: Watch;
  private silenceMs: number;
  /** The tick since which an answer is due; null: none is due. */
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

  /** Allows a slow statement to be silent for `silenceMs`; without an argument, restores the default. */
  allowSilence(silenceMs: number = this.watch.silenceMs): void {
    this.silenceMs = silenceMs;
  }

  /** Ends the connection at once; pending queries fail, and `error` and `end` are emitted. */
  destroy(reason: Error): void {
    this.stop();
    this.connection.stream.destroy(reason);
  }

  /** Called at every tick. */
  check(): void {
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

  /** Idle, without a byte since another connection to the same server went silent. */
  private isSuspect(watch: Watch, silentSince: number): boolean {
    return this.watch === watch && this.dueSince === null && this.heardAt <= silentSince;
  }

  private start(): void {
    this.heardAt = ticks;
    watched.add(this);
    timer ??= setInterval(checkAll, TICK_MS).unref();
  }

  private stop(): void {
    watched.delete(this);
    if (watched.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  }
}

/** A client class for a pool, whose clients share one {@link Watch}. */
export function watchedClientClass(watch: Watch): typeof Client {
  return class extends WatchedClient {
    constructor(config: ClientConfig) {
      super(config, watch);
    }
  };
}
