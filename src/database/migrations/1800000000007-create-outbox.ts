// What the outbox remembers beside its commands: how far the reconciler is.
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { forwardOnly } from './support.js';

export class CreateOutbox1800000000007 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- One row for each kind of workflow. A pass is under way from begun_at until ended_at; a new one is due when somebody
      -- has asked for it since the last one began, and an hour after the last one ended.
      create table reconciler_passes (
        workflow text constraint reconciler_passes_pkey primary key,
        asked_at timestamptz not null default now(),
        begun_at timestamptz,
        ended_at timestamptz,
        -- The last entity that was checked. Null: none yet.
        position uuid,
        checked integer not null default 0,
        started integer not null default 0,
        failed integer not null default 0
      );
      -- Who makes the passes: one worker at a time.
      create table reconciler_lease (
        id integer not null default 1 constraint reconciler_lease_pkey primary key
          constraint reconciler_lease_id_check check (id = 1),
        holder uuid,
        leased_until timestamptz not null default '-infinity'
      );
      insert into reconciler_lease default values;
      grant select, insert, update on reconciler_passes to colloquy_worker;
      grant select, update on reconciler_lease to colloquy_worker;
    `);
  }

  down = forwardOnly;
}
