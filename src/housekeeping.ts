// What a worker tidies once an hour: keys of old inbox days and of no conversation, marks that have served, objects that no
// record names. Each step may run twice.
import { sweepIdempotencyKeys } from './access/sweep-idempotency-keys.js';
import type { Log } from './common/log.js';
import { orphansAmong } from './conversations/orphans.js';
import type { WorkerDatabase } from './database/database.js';
import { resealParked } from './inbox/reseal-parked-facts.js';
import type { LooseObjects } from './recordings/orphaned-objects.js';
import type { ObjectStore } from './object-store/object-store.js';
import type { VaultService } from './vault/vault.service.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Payloads of webhooks stay readable for a week, in case something must be applied again. */
const INBOX_KEY_DAYS = 7;

interface Dependencies {
  database: WorkerDatabase;
  vault: VaultService;
  objects: ObjectStore;
  loose: LooseObjects;
  log: Log;
}

/** Nobody waits for these statements; an hour's worth of rows may be many. */
const STATEMENT_MS = 120_000;
const SWEEP_READ_MARKS = "delete from content_reads where slot < now() - interval '1 hour'";

export class Housekeeping {
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly deps: Dependencies) {}

  start(): void {
    const run = (): void => {
      this.tidy(new Date()).catch((error: unknown) =>
        this.deps.log.error('housekeeping failed; the next hour tries again', {}, error),
      );
    };
    this.timer = setInterval(run, HOUR_MS);
    run();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  async tidy(now: Date): Promise<void> {
    const { database, vault } = this.deps;
    await database.withScope('all', async (tx) => {
      await tx.allow(STATEMENT_MS);
      await sweepIdempotencyKeys(tx);
    });
    await database.withScope('all', async (tx) => {
      await tx.allow(STATEMENT_MS);
      await tx.query({ text: SWEEP_READ_MARKS });
    });
    await resealParked(database, vault);
    await this.destroyOldInboxKeys(now);
    await this.sweepConversationKeys();
    // Last: a store that is away must not keep keys alive.
    await this.sweepObjects(new Date(now.getTime() - DAY_MS));
  }

  private async sweepConversationKeys(): Promise<void> {
    const { database, vault, log } = this.deps;
    const { condemned, removed } = await vault.sweepConversationKeys((ids) => orphansAmong(database, ids));
    if (condemned + removed > 0) log.info('keys of conversations that do not exist swept', { condemned, removed });
  }

  /** What attempts at recordings left that were over long before. */
  private async sweepObjects(olderThan: Date): Promise<void> {
    const { objects, loose, log } = this.deps;
    const [torn, removed] = [await objects.sweep(olderThan), await loose.sweep(olderThan)];
    if (torn + removed > 0) log.info('objects that no record names removed', { torn, removed });
  }

  /** A day's key goes when nothing under it waits; facts that name no conversation go with it. */
  private async destroyOldInboxKeys(now: Date): Promise<void> {
    const { database, vault, log } = this.deps;
    const before = new Date(now.getTime() - INBOX_KEY_DAYS * DAY_MS).toISOString().slice(0, 10);
    for (const { providerAccountId, day } of await vault.inboxKeyDays(before)) {
      const values = [providerAccountId, day];
      const waiting = await database.withScope('all', async (tx) => {
        await tx.allow(STATEMENT_MS);
        await tx.query({
          text: "delete from inbox where provider_account_id = $1 and key_day = $2 and state = 'unknown'",
          values,
        });
        return tx.query({
          text: 'select 1 from inbox where provider_account_id = $1 and key_day = $2 limit 1',
          values,
        });
      });
      if (waiting.length > 0) continue;
      await vault.destroyInboxKey(providerAccountId, day);
      log.info('inbox key destroyed', { day });
    }
  }
}
