// The oldest waiting facts are found by an index: sorting all that wait, at every look, made a long backlog slow to work off.
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { forwardOnly } from './support.js';

export class OrderInbox1790000000012 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query("create index inbox_oldest_idx on inbox (received_at) where state = 'pending'");
  }

  down = forwardOnly;
}
