import { Injectable } from '@nestjs/common';
import { WorkerDatabase } from '../database/database.js';
import { resealParked } from '../inbox/reseal-parked-facts.js';
import { VaultService } from '../vault/vault.service.js';
import type { MaintenanceTask } from './maintenance-task.js';

/** Re-seals parked facts, which outlive the inbox key of their day. Must run before {@link DestroyInboxKeys}. */
@Injectable()
export class ResealParkedFacts implements MaintenanceTask {
  readonly name = 'reseal parked facts';

  constructor(
    private readonly database: WorkerDatabase,
    private readonly vault: VaultService,
  ) {}

  async run(): Promise<{ resealed: number }> {
    return { resealed: await resealParked(this.database, this.vault) };
  }
}
