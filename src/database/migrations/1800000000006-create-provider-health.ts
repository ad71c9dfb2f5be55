// For each provider account, shared by all processes: its request budget, its circuit breaker, and until when the provider
// asked us to stay away; and the recent state of its webhooks, written a few times a minute at most.
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { forwardOnly, isolate } from './support.js';

export class CreateProviderHealth1800000000006 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- The current window of each account: requests used, and when it ends. Unlogged: after a crash a new second begins.
      create unlogged table provider_budgets (
        key varchar(255) constraint provider_budgets_pkey primary key,
        points integer not null default 0,
        expire bigint
      );
      create table provider_circuits (
        provider_account_id uuid constraint provider_circuits_pkey primary key,
        client_id uuid not null,
        state text not null default 'closed' constraint provider_circuits_state_check check (state in ('closed', 'open')),
        -- Consecutive openings, when the next trial request is allowed, and the HTTP status of the last outage.
        openings integer not null default 0,
        retry_at timestamptz,
        status integer,
        away_until timestamptz,
        away_status integer,
        changed_at timestamptz not null default now(),
        constraint provider_circuits_account_fk foreign key (provider_account_id) references provider_accounts (id)
      );
      create table webhook_health (
        provider_account_id uuid constraint webhook_health_pkey primary key,
        client_id uuid not null,
        last_at timestamptz not null,
        last_valid_at timestamptz,
        constraint webhook_health_account_fk foreign key (provider_account_id) references provider_accounts (id)
      );
      -- Per hour, so that the last 24 hours can be summed; the next write deletes older hours.
      create table signature_failures (
        provider_account_id uuid not null,
        client_id uuid not null,
        hour timestamptz not null,
        failures bigint not null,
        constraint signature_failures_pkey primary key (provider_account_id, hour),
        constraint signature_failures_account_fk foreign key (provider_account_id) references provider_accounts (id)
      );
    `);
    for (const table of ['provider_circuits', 'webhook_health', 'signature_failures']) await isolate(runner, table);
    await runner.query(`
      create policy ingest_counts on webhook_health to colloquy_ingest using (true) with check (true);
      create policy ingest_counts on signature_failures to colloquy_ingest using (true) with check (true);
      grant select on provider_circuits, webhook_health, signature_failures to colloquy_api;
      grant update (retry_at) on provider_circuits to colloquy_api;
      grant select, insert, update on webhook_health to colloquy_ingest;
      grant select, insert, update, delete on signature_failures to colloquy_ingest;
      grant select, insert, update on provider_budgets, provider_circuits to colloquy_worker;
    `);
  }

  down = forwardOnly;
}
