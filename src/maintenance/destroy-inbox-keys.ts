import { Injectable } from '@nestjs/common';
import { WorkerDatabase } from '../database/database.js';
import { VaultService } from '../vault/vault.service.js';
import { DAY_MS, STATEMENT_MS, type MaintenanceTask } from './maintenance-task.js';

/** Webhook payloads stay readable for a week, in case something must be applied again. */
const INBOX_KEY_DAYS = 7;

const DELETE_UNKNOWN = "delete from inbox where provider_account_id = $1 and key_day = $2 and state = 'unknown'";
const WAITING = 'select 1 from inbox where provider_account_id = $1 and key_day = $2 limit 1';

/** Destroys the key of a day once no fact under it waits, and deletes that day's facts that name no conversation. */
@Injectable()
export class DestroyInboxKeys implements MaintenanceTask {
  readonly name = 'destroy inbox keys';

  constructor(
    private readonly database: WorkerDatabase,
    private readonly vault: VaultService,
  ) {}

  async run(now: Date): Promise<{ destroyed: number }> {
    const before = new Date(now.getTime() - INBOX_KEY_DAYS * DAY_MS).toISOString().slice(0, 10);
    let destroyed = 0;
    for (const { providerAccountId, day } of await this.vault.inboxKeyDays(before)) {
      if (await this.isNeeded([providerAccountId, day])) continue;
      await this.vault.destroyInboxKey(providerAccountId, day);
      destroyed += 1;
    }
    return { destroyed };
  }

  private async isNeeded(values: [accountId: string, day: string]): Promise<boolean> {
    const waiting = await this.database.withScope('all', async (tx) => {
      await tx.allow(STATEMENT_MS);
      await tx.query({ text: DELETE_UNKNOWN, values });
      return tx.query({ text: WAITING, values });
    });
    return waiting.length > 0;
  }
}
