import { Injectable } from '@nestjs/common';
import { WorkerDatabase } from '../database/database.js';
import { STATEMENT_MS, type MaintenanceTask } from './maintenance-task.js';

const SWEEP = "delete from idempotency_keys where created_at < now() - interval '24 hours' returning 1 as swept";

/** Deletes idempotency keys, which are valid for 24 h (src/access/idempotency.ts). */
@Injectable()
export class SweepIdempotencyKeys implements MaintenanceTask {
  readonly name = 'sweep idempotency keys';

  constructor(private readonly database: WorkerDatabase) {}

  async run(): Promise<{ keys: number }> {
    const swept = await this.database.withScope('all', async (tx) => {
      await tx.allow(STATEMENT_MS);
      return tx.query({ text: SWEEP });
    });
    return { keys: swept.length };
  }
}
