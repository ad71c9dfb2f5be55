// What a provider account's webhooks have been like lately: shown to administrators, written a few times a minute at most.
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { forwardOnly, isolate } from './support.js';

export class CreateWebhookHealth1790000000080 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table webhook_health (
        provider_account_id uuid constraint webhook_health_pkey primary key,
        client_id uuid not null,
        last_at timestamptz not null,
        last_valid_at timestamptz,
        constraint webhook_health_account_fk foreign key (provider_account_id) references provider_accounts (id)
      );
      -- By the hour, so that the last day can be summed up; older hours go with the next write.
      create table signature_failures (
        provider_account_id uuid not null,
        client_id uuid not null,
        hour timestamptz not null,
        failures bigint not null,
        constraint signature_failures_pkey primary key (provider_account_id, hour),
        constraint signature_failures_account_fk foreign key (provider_account_id) references provider_accounts (id)
      );
    `);
    await isolate(runner, 'webhook_health');
    await isolate(runner, 'signature_failures');
    await runner.query(`
      create policy ingest_counts on webhook_health to colloquy_ingest using (true) with check (true);
      create policy ingest_counts on signature_failures to colloquy_ingest using (true) with check (true);
      grant select on webhook_health, signature_failures to colloquy_api;
      grant select, insert, update on webhook_health to colloquy_ingest;
      grant select, insert, update, delete on signature_failures to colloquy_ingest;
    `);
  }

  down = forwardOnly;
}
