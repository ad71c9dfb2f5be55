// Notifications between processes: at most one NOTIFY per process and 10 ms, after commit. Within the writing transaction,
// NOTIFY holds a global lock until commit (measured: 13 × fewer inserts). A lost one only costs a poll interval.
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from './database.js';
import { WatchedClient } from './watched-client.js';

const COALESCE_MS = 10;
const RECONNECT_MS = 500;
const CONNECT_MS = 5_000;
/** How often a listening connection is checked, and how long it may take to answer. */
const HEARTBEAT_MS = 4_000;

export type NotifyChannel = 'colloquy_inbox' | 'colloquy_workflow_commands' | 'colloquy_search' | 'colloquy_api_keys';

export class Notifier {
  private readonly due = new Set<NotifyChannel>();
  private timer: NodeJS.Timeout | undefined;
  private sentAt = -Infinity;

  constructor(private readonly database: Database) {}

  /** Notifies the listeners of all processes within 10 ms. */
  notify(channel: NotifyChannel): void {
    this.due.add(channel);
    // Immediately after a quiet period, so that a single fact is not delayed.
    const waitMs = Math.max(0, this.sentAt + COALESCE_MS - performance.now());
    this.timer ??= setTimeout(() => void this.send(), waitMs);
  }

  private async send(): Promise<void> {
    const channels = [...this.due];
    this.due.clear();
    this.timer = undefined;
    this.sentAt = performance.now();
    const text = 'select pg_notify(channel, $2) from unnest($1::text[]) as channel';
    await this.database.dataSource.query(text, [channels, '']).catch(() => undefined); // listeners poll as well
  }
}

/**
 * Listens on its own connection and reconnects for ever; `onNotify` also runs after each connect. Since such a connection is
 * usually silent, a regular query checks it; without an answer it is replaced.
 */
export class Listener {
  private client: WatchedClient | undefined;
  private stopped = false;

  constructor(
    private readonly url: string,
    private readonly channel: NotifyChannel,
    private readonly onNotify: () => void,
  ) {}

  async start(): Promise<void> {
    while (!this.stopped) {
      await this.listen(this.newClient()).catch(() => undefined);
      if (!this.stopped) await sleep(RECONNECT_MS);
    }
  }

  /** Destroys the connection, so that stopping does not wait for a server that does not answer. */
  stop(): void {
    this.stopped = true;
    this.client?.destroy(new Error('the listener was stopped'));
  }

  private newClient(): WatchedClient {
    const server = { connectionString: this.url, connectionTimeoutMillis: CONNECT_MS };
    const client = new WatchedClient({ ...server, application_name: this.channel }, { silenceMs: HEARTBEAT_MS });
    client.on('error', () => undefined); // 'end' follows; the loop connects again
    client.on('notification', this.onNotify);
    return (this.client = client);
  }

  /** Resolves when the connection has ended. */
  private async listen(client: WatchedClient): Promise<void> {
    const gone = once(client, 'end');
    // Avoids an unhandled rejection if the client never connects.
    gone.catch(() => undefined);
    await client.connect();
    const heartbeat = setInterval(() => void client.query('select 1').catch(() => undefined), HEARTBEAT_MS);
    try {
      await client.query(`listen ${this.channel}`);
      this.onNotify();
      await gone;
    } finally {
      clearInterval(heartbeat);
      client.destroy(new Error('the listener reconnects'));
    }
  }
}
