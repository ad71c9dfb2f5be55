// An account's past: how far its backfill has come, what Temporal must be told about accounts, and which conversations are
// being brought in. Parked facts become visible to operators, without their content.
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { forwardOnly, isolate } from './support.js';

export class CreateBackfills1790000000005 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table backfills (
        provider_account_id uuid constraint backfills_pkey primary key,
        client_id uuid not null,
        status text not null default 'pending' constraint backfills_status_check
          check (status in ('pending', 'running', 'completed', 'failed')),
        range_from timestamptz not null,
        range_to timestamptz not null,
        -- Where it goes on: the upper end of the window under way, the provider's kind, its cursor. The cursor may name a
        -- conversation, so it is sealed.
        window_to timestamptz not null,
        kind text,
        cursor bytea,
        checked integer not null default 0,
        page_checked integer not null default 0,
        added integer not null default 0,
        skipped integer not null default 0,
        version integer not null default 1,
        last_error text,
        started_at timestamptz,
        completed_at timestamptz,
        constraint backfills_account_fk foreign key (provider_account_id) references provider_accounts (id)
      );
      -- Written with the change of an account; it goes when Temporal has been told.
      create table account_wakes (
        id bigint generated always as identity constraint account_wakes_pkey primary key,
        provider_account_id uuid not null,
        created_at timestamptz not null default now()
      );
      -- While a conversation is being brought in from the provider's list, its other facts wait, so that nobody asks twice.
      alter table conversation_identities add column reserved_until timestamptz, add column reserved_by text;
    `);
    await isolate(runner, 'backfills');
    await runner.query(`
      grant select, insert, update, delete on backfills to colloquy_api;
      grant select, update on backfills to colloquy_worker;
      grant insert on account_wakes to colloquy_api;
      grant select, update, delete on account_wakes to colloquy_worker;
    `);
    await this.showParkedFacts(runner);
  }

  down = forwardOnly;

  private async showParkedFacts(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- Null: sealed under the account's client instead of under a day's key, which can then be destroyed.
      alter table inbox alter column key_day drop not null;
      alter table inbox enable row level security;
      alter table inbox force row level security;
      create policy worker_sees_all on inbox to colloquy_worker using (true) with check (true);
      create policy ingest_appends on inbox for insert to colloquy_ingest with check (true);
      create policy ingest_returns on inbox for select to colloquy_ingest using (true);
      -- Through the identity row, which has the client and its own policy.
      create policy client_isolation on inbox to colloquy_api using (exists (
        select from conversation_identities i
        where i.provider_account_id = inbox.provider_account_id and i.identity_hash = inbox.identity_hash
      ));
      grant select (id, provider_account_id, identity_hash, source, kind, received_at, state, attempts, retry_at, parked_at,
        parked_reason) on inbox to colloquy_api;
      grant update (state, attempts, retry_at, parked_at, parked_reason) on inbox to colloquy_api;
    `);
  }
}
