import { Injectable } from '@nestjs/common';
import { WorkerDatabase } from '../database/database.js';
import { VaultService } from '../vault/vault.service.js';
import { abandonedAmong } from './abandoned-identities.js';
import type { MaintenanceTask } from './maintenance-task.js';

/** Keys of conversations that were never created: marked in one round, deleted in a later one (src/vault/keystore/key-sweep.ts). */
@Injectable()
export class SweepConversationKeys implements MaintenanceTask {
  readonly name = 'sweep conversation keys';

  constructor(
    private readonly database: WorkerDatabase,
    private readonly vault: VaultService,
  ) {}

  run(): Promise<{ marked: number; removed: number }> {
    return this.vault.sweepConversationKeys((ids) => abandonedAmong(this.database, ids));
  }
}
