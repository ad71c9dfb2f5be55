// Clients, agents, provider accounts, API keys. Names and secrets are sealed; no column holds plain text of a client.
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { forwardOnly, isolate } from './support.js';

export class CreateAdministration1800000000001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table clients (
        id uuid constraint clients_pkey primary key,
        sealed bytea not null,
        default_region text,
        revision integer not null default 1,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now()
      );
      create table provider_accounts (
        id uuid constraint provider_accounts_pkey primary key,
        client_id uuid not null,
        provider text not null,
        sealed bytea not null,
        deadlines jsonb not null default '{}',
        backfill_days integer not null default 30,
        poll_active_seconds integer,
        revision integer not null default 1,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now(),
        deleted_at timestamptz,
        constraint provider_accounts_client_fk foreign key (client_id) references clients (id)
      );
      create index provider_accounts_client_idx on provider_accounts (client_id, id);
      create table agents (
        id uuid constraint agents_pkey primary key,
        client_id uuid not null,
        provider_account_id uuid,
        provider_agent_hash bytea,
        sealed bytea not null,
        -- The version in its latest conversation, and when that began. Null: unknown, so any version is newer.
        version text,
        version_seen_at timestamptz,
        revision integer not null default 1,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now(),
        constraint agents_client_fk foreign key (client_id) references clients (id),
        constraint agents_provider_unique unique (client_id, provider_account_id, provider_agent_hash)
      );
    `);
    for (const [table, column] of [['clients', 'id'], ['provider_accounts'], ['agents']] as const)
      await isolate(runner, table, column);
    await runner.query(`
      create policy ingest_reads on provider_accounts for select to colloquy_ingest using (true);
      grant select, insert, update on clients, provider_accounts, agents to colloquy_api;
      grant select on provider_accounts to colloquy_ingest;
      grant select on clients, provider_accounts to colloquy_worker;
      grant select, insert, update on agents to colloquy_worker;
    `);
    await this.createApiKeys(runner);
  }

  down = forwardOnly;

  private async createApiKeys(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table api_keys (
        id uuid constraint api_keys_pkey primary key,
        role text not null constraint api_keys_role_check
          check (role in ('consumer', 'supervisor', 'compliance', 'operator', 'admin')),
        all_clients boolean not null,
        client_ids uuid[] not null default '{}',
        scopes text[] not null default '{}',
        hash bytea not null constraint api_keys_hash_unique unique,
        prefix text not null,
        sealed bytea not null,
        expires_at timestamptz,
        last_used_at timestamptz,
        revoked_at timestamptz,
        -- The key that created it. Null: created from the settings.
        created_by uuid,
        -- The key that created it or last widened it.
        proposed_by uuid,
        approved_by uuid,
        approved_at timestamptz,
        -- It does not work until a second admin has approved it.
        awaiting_approval boolean not null default false,
        revision integer not null default 1,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now()
      );
      -- Former secrets of a key; they are never accepted again.
      create table retired_api_key_secrets (
        hash bytea constraint retired_api_key_secrets_pkey primary key,
        api_key_id uuid not null,
        retired_at timestamptz not null default now(),
        constraint retired_api_key_secrets_key_fk foreign key (api_key_id) references api_keys (id)
      );
      create table idempotency_keys (
        api_key_id uuid not null,
        key_hash bytea not null,
        request_hash bytea not null,
        status integer,
        object_kind text,
        object_id uuid,
        -- For requests that change several objects: how many.
        object_count integer,
        created_at timestamptz not null default now(),
        constraint idempotency_keys_pkey primary key (api_key_id, key_hash)
      );
      create index idempotency_keys_age_idx on idempotency_keys (created_at);
      grant select, insert, update on api_keys, idempotency_keys to colloquy_api;
      grant select, insert on retired_api_key_secrets to colloquy_api;
      grant select, delete on idempotency_keys to colloquy_worker;
    `);
  }
}
