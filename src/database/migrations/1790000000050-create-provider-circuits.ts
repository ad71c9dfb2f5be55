// How an account of a provider may be asked, for all processes: its request budget, its circuit, and until when its provider
// wants us to stay away.
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { forwardOnly, isolate } from './support.js';

export class CreateProviderCircuits1790000000050 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- The window of each account: what was taken of it, when it ends. Unlogged: after a crash a second starts again.
      create unlogged table provider_budgets (
        key varchar(255) constraint provider_budgets_pkey primary key,
        points integer not null default 0,
        expire bigint
      );
      create table provider_circuits (
        provider_account_id uuid constraint provider_circuits_pkey primary key,
        client_id uuid not null,
        state text not null default 'closed' constraint provider_circuits_state_check check (state in ('closed', 'open')),
        -- Open: how often in a row it opened, when one trial may go, the HTTP status of the last outage.
        openings integer not null default 0,
        retry_at timestamptz,
        status integer,
        away_until timestamptz,
        away_status integer,
        changed_at timestamptz not null default now(),
        constraint provider_circuits_account_fk foreign key (provider_account_id) references provider_accounts (id)
      );
    `);
    await isolate(runner, 'provider_circuits');
    await runner.query(`
      grant select, insert, update on provider_budgets to colloquy_worker;
      grant select, insert, update on provider_circuits to colloquy_worker;
      grant select, update (retry_at) on provider_circuits to colloquy_api;
    `);
  }

  down = forwardOnly;
}
