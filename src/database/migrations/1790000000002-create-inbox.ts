// Identity rows, the inbox, and the ledger of receipts that outlives it.
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { forwardOnly, isolate } from './support.js';

export class CreateInbox1790000000002 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table conversation_identities (
        id uuid constraint conversation_identities_pkey primary key,
        client_id uuid not null,
        provider_account_id uuid not null,
        identity_hash bytea not null,
        state text not null default 'live' constraint conversation_identities_state_check
          check (state in ('live', 'erasing', 'erased')),
        erased_at timestamptz,
        created_at timestamptz not null default now(),
        constraint conversation_identities_hash_unique unique (provider_account_id, identity_hash)
      );
      -- Keyed hashes of accepted bytes. An applied fact leaves the inbox; this row is what still knows its duplicate.
      create table fact_receipts (
        provider_account_id uuid not null,
        hash bytea not null,
        received_at timestamptz not null,
        constraint fact_receipts_pkey primary key (provider_account_id, hash)
      );
      create table inbox (
        id uuid constraint inbox_pkey primary key,
        provider_account_id uuid not null,
        -- Null when the payload names no conversation. By hash, not by conversation id: the door need not know which one won.
        identity_hash bytea,
        source text not null constraint inbox_source_check check (source in ('webhook', 'record', 'workflow')),
        kind text not null,
        hash bytea not null,
        received_at timestamptz not null,
        key_day date not null,
        sealed bytea not null,
        state text not null default 'pending' constraint inbox_state_check check (state in ('pending', 'parked', 'unknown')),
        attempts integer not null default 0,
        retry_at timestamptz,
        parked_at timestamptz,
        parked_reason text
      ) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
      alter table inbox alter column sealed set storage external;
      create index inbox_pending_idx on inbox (provider_account_id, identity_hash, received_at) where state = 'pending';
      create index inbox_key_day_idx on inbox (provider_account_id, key_day);
      create index inbox_parked_idx on inbox (parked_at, id) where state = 'parked';
    `);
    await isolate(runner, 'conversation_identities');
    await runner.query(`
      create policy ingest_claims on conversation_identities to colloquy_ingest using (true) with check (true);
      grant select on conversation_identities to colloquy_api;
      grant select, insert on conversation_identities to colloquy_ingest;
      grant select, insert, update on conversation_identities to colloquy_worker;
      grant select, insert on inbox, fact_receipts to colloquy_ingest;
      grant select, insert, update, delete on inbox, fact_receipts to colloquy_worker;
    `);
  }

  down = forwardOnly;
}
