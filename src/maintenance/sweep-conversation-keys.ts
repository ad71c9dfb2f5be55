import { Injectable } from '@nestjs/common';
import { WorkerDatabase } from '../database/database.js';
import { VaultService } from '../vault/vault.service.js';
import { abandonedAmong } from './abandoned-identities.js';
import type { MaintenanceTask } from './maintenance-task.js';

/** Keys of conversations that never came to be: marked in one round, destroyed in a later one (src/vault/keystore/key-sweep.ts). */
@Injectable()
export class SweepConversationKeys implements MaintenanceTask {
  readonly name = 'sweep conversation keys';

  constructor(
    private readonly database: WorkerDatabase,
    private readonly vault: VaultService,
  ) {}

  async run(): Promise<{ condemned: number; removed: number }> {
    const { condemned, removed } = await this.vault.sweepConversationKeys((ids) => abandonedAmong(this.database, ids));
    return { condemned, removed };
  }
}
