// Parked facts are retried together: a repeated request says again how many they were, and each begins as a new one.
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { forwardOnly } from './support.js';

export class RetryParkedFactsTogether1790000000021 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- Of requests that change several objects: how many.
      alter table idempotency_keys add column object_count integer;
      grant update (postponements) on inbox to colloquy_api;
    `);
  }

  down = forwardOnly;
}
