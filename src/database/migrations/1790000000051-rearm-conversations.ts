// A changed silence or pause between questions of an account concerns its live conversations: their timers are reset.
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { forwardOnly } from './support.js';

export class RearmConversations1790000000051 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- Such a row stays until its last live conversation is woken; rearmed_until: the last one that was. Null: none yet.
      alter table account_wakes
        add column rearms boolean not null default false,
        add column rearmed_until uuid;
    `);
  }

  down = forwardOnly;
}
