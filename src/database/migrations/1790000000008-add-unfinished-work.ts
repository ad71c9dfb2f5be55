// What must be seen of a conversation without opening it: who holds it, and whether a recording is still to be fetched. A
// settled one may be waiting for a further variant: its workflow, too, must come back when Temporal has lost everything.
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { forwardOnly } from './support.js';

export class AddUnfinishedWork1790000000008 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table conversations
        add column holder text not null default 'agent' check (holder in ('agent', 'phone', 'human', 'queue')),
        add column unfetched boolean not null default false;
      create index conversations_unfinished_idx on conversations (id)
        where record_state in ('open', 'settling') or unfetched;
      drop index conversations_unsettled_idx;
    `);
  }

  down = forwardOnly;
}
