// When the list of each polled account is looked at next, who looks at it now, and what the last look found.
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { forwardOnly, isolate } from './support.js';

export class CreateLivePolls1790000000040 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table live_polls (
        provider_account_id uuid constraint live_polls_pkey primary key,
        client_id uuid not null,
        -- Null: polling is off.
        next_at timestamptz default clock_timestamp(),
        -- Who looks now. Only the holder of the lease may write what it found; a lease that is not renewed is free again.
        lease uuid,
        leased_at timestamptz,
        leased_until timestamptz,
        -- Looks in a row at which the provider did not answer.
        failures integer not null default 0,
        -- The last look: when it ended, how many conversations were live (null: not answered), what went wrong, as a code.
        last_at timestamptz,
        live integer,
        problem text,
        constraint live_polls_account_fk foreign key (provider_account_id) references provider_accounts (id)
      );
      create index live_polls_next_idx on live_polls (next_at);
      insert into live_polls (provider_account_id, client_id)
        select id, client_id from provider_accounts where poll_active_seconds is not null and deleted_at is null;
    `);
    await isolate(runner, 'live_polls');
    await runner.query(`
      grant select, insert, update on live_polls to colloquy_api;
      grant select, update on live_polls to colloquy_worker;
    `);
  }

  down = forwardOnly;
}
