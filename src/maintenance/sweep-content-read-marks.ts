import { Injectable } from '@nestjs/common';
import { WorkerDatabase } from '../database/database.js';
import { STATEMENT_MS, type MaintenanceTask } from './maintenance-task.js';

const SWEEP = "delete from content_reads where slot < now() - interval '1 hour' returning 1 as swept";

/** Deletes the marks that say that a read has its journal entry; each is for a five-minute slot (src/journal/content-reads.ts). */
@Injectable()
export class SweepContentReadMarks implements MaintenanceTask {
  readonly name = 'sweep content read marks';

  constructor(private readonly database: WorkerDatabase) {}

  async run(): Promise<{ marks: number }> {
    const swept = await this.database.withScope('all', async (tx) => {
      await tx.allow(STATEMENT_MS);
      return tx.query({ text: SWEEP });
    });
    return { marks: swept.length };
  }
}
