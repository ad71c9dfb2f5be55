// An agent's version is that of its latest conversation: when that began decides which of two is the later one.
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { forwardOnly } from './support.js';

export class FollowAgentVersions1790000000013 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    // Null: not known, and every later word is newer.
    await runner.query('alter table agents add column version_seen_at timestamptz');
  }

  down = forwardOnly;
}
