// For each provider account: the progress of its backfill, when its live conversations are listed next, and changes that
// have not been sent to Temporal yet.
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { forwardOnly, isolate } from './support.js';

export class CreateReconciliation1800000000005 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table backfills (
        provider_account_id uuid constraint backfills_pkey primary key,
        client_id uuid not null,
        status text not null default 'pending' constraint backfills_status_check
          check (status in ('pending', 'running', 'completed', 'failed')),
        range_from timestamptz not null,
        range_to timestamptz not null,
        -- Where it continues: upper end of the current window, the provider's kind, its cursor. The cursor can contain a
        -- conversation id, so it is sealed.
        window_to timestamptz not null,
        kind text,
        cursor bytea,
        checked integer not null default 0,
        page_checked integer not null default 0,
        added integer not null default 0,
        skipped integer not null default 0,
        -- Why conversations were skipped: codes with counts.
        skipped_reasons jsonb not null default '{}',
        version integer not null default 1,
        last_error text,
        started_at timestamptz,
        completed_at timestamptz,
        constraint backfills_account_fk foreign key (provider_account_id) references provider_accounts (id)
      );
      create table live_polls (
        provider_account_id uuid constraint live_polls_pkey primary key,
        client_id uuid not null,
        -- Null: polling is off.
        next_at timestamptz default clock_timestamp(),
        -- Who is polling now. Only the holder of the lease may write results; a lease that is not renewed expires.
        lease uuid,
        leased_at timestamptz,
        leased_until timestamptz,
        -- Consecutive polls that the provider did not answer.
        failures integer not null default 0,
        -- The last poll: when it ended, how many conversations were live (null: no answer), and what went wrong, as a code.
        last_at timestamptz,
        live integer,
        problem text,
        constraint live_polls_account_fk foreign key (provider_account_id) references provider_accounts (id)
      );
      create index live_polls_next_idx on live_polls (next_at);
      -- Written in the transaction that changes \`silence\` or \`ask_every\` of an account: the new settings apply to live
      -- conversations too. The row stays until all of them are woken.
      create table account_rearms (
        id bigint generated always as identity constraint account_rearms_pkey primary key,
        provider_account_id uuid not null,
        -- The last conversation that was woken; null: none yet.
        position uuid,
        created_at timestamptz not null default now()
      );
    `);
    await isolate(runner, 'backfills');
    await isolate(runner, 'live_polls');
    await runner.query(`
      grant select, insert, update, delete on backfills to colloquy_api;
      grant select, insert, update on live_polls to colloquy_api;
      grant insert (provider_account_id) on account_rearms to colloquy_api;
      grant select, update on backfills, live_polls to colloquy_worker;
      grant select, update, delete on account_rearms to colloquy_worker;

      -- Of accounts that the API sees, it may say that there is something to do: nothing else, and of no others.
      alter table account_rearms enable row level security;
      alter table account_rearms force row level security;
      create policy worker_sees_all on account_rearms to colloquy_worker using (true) with check (true);
      create policy own_accounts on account_rearms for insert to colloquy_api
        with check (exists (select from provider_accounts a where a.id = provider_account_id));
      grant insert (workflow, entity_id, kind, traceparent) on workflow_commands to colloquy_api;
      alter table workflow_commands enable row level security;
      alter table workflow_commands force row level security;
      create policy worker_sees_all on workflow_commands to colloquy_worker using (true) with check (true);
      create policy own_backfills on workflow_commands for insert to colloquy_api
        with check (workflow = 'reconciliation' and kind = 'asked'
          and exists (select from provider_accounts a where a.id = entity_id));
    `);
  }

  down = forwardOnly;
}
