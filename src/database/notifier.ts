// Wake-ups between processes: at most one NOTIFY per process and 10 ms, after commit. In the writing transaction it would
// cost a global lock through commit (measured: 13 × fewer inserts). A lost one costs a poll interval, nothing else.
import { Client } from 'pg';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from './database.js';

const COALESCE_MS = 10;
const RECONNECT_MS = 500;
const CONNECT_MS = 5_000;

export type NotifyChannel = 'colloquy_inbox' | 'colloquy_wakes';

export class Notifier {
  private readonly due = new Set<NotifyChannel>();
  private timer: NodeJS.Timeout | undefined;
  private sentAt = -Infinity;

  constructor(private readonly database: Database) {}

  /** Soon tells listeners in all processes that there is work. */
  notify(channel: NotifyChannel): void {
    this.due.add(channel);
    // After a quiet moment at once, so that a single fact does not wait for company.
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

/** Listens on a connection of its own and reconnects for ever; `onNotify` also runs after each (re)connect. */
export class Listener {
  private client: Client | undefined;
  private stopped = false;

  constructor(
    private readonly url: string,
    private readonly channel: NotifyChannel,
    private readonly onNotify: () => void,
  ) {}

  async start(): Promise<void> {
    while (!this.stopped) {
      const client = new Client({
        connectionString: this.url,
        application_name: this.channel,
        connectionTimeoutMillis: CONNECT_MS,
      });
      const gone = new Promise<void>((resolve) => client.once('end', () => resolve()));
      client.on('error', () => undefined); // 'end' follows; the loop connects again
      client.on('notification', this.onNotify);
      this.client = client;
      try {
        await client.connect();
        await client.query(`listen ${this.channel}`);
        this.onNotify();
        // Told to stop while it was connecting.
        if (this.stopped) await client.end();
        await gone;
      } catch {
        await client.end().catch(() => undefined);
      }
      if (!this.stopped) await sleep(RECONNECT_MS);
    }
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.client?.end();
  }
}
