// Why a backfill passed over conversations: codes with their counts.
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { forwardOnly } from './support.js';

export class AddSkippedReasons1790000000009 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query("alter table backfills add column skipped_reasons jsonb not null default '{}'");
  }

  down = forwardOnly;
}
