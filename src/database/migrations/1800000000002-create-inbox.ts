// Identity rows, the inbox, and the receipts, which outlive it.
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { forwardOnly, isolate } from './support.js';

export class CreateInbox1800000000002 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table conversation_identities (
        id uuid constraint conversation_identities_pkey primary key,
        client_id uuid not null,
        provider_account_id uuid not null,
        identity_hash bytea not null,
        -- Of client, provider, kind and id, by one key of the installation: the same in every account of the client, so that
        -- what was erased is recognised after its account was deleted and registered again.
        suppression_hash bytea not null,
        state text not null default 'live' constraint conversation_identities_state_check
          check (state in ('live', 'erasing', 'erased')),
        -- While a conversation is being imported from the provider's list, its other facts wait, so that the provider is not
        -- asked twice.
        reserved_until timestamptz,
        reserved_by text,
        erased_at timestamptz,
        created_at timestamptz not null default now(),
        constraint conversation_identities_hash_unique unique (provider_account_id, identity_hash)
      );
      create index conversation_identities_suppression_idx on conversation_identities (client_id, suppression_hash);
      -- Keyed hashes of accepted bytes. They detect duplicates of facts that were applied and have left the inbox.
      create table fact_receipts (
        provider_account_id uuid not null,
        hash bytea not null,
        received_at timestamptz not null,
        constraint fact_receipts_pkey primary key (provider_account_id, hash)
      );
      create table inbox (
        id uuid constraint inbox_pkey primary key,
        provider_account_id uuid not null,
        -- Null if the payload names no conversation. A hash, so that the webhook door need not know the id.
        identity_hash bytea,
        source text not null constraint inbox_source_check check (source in ('webhook', 'record', 'workflow')),
        kind text not null,
        hash bytea not null,
        received_at timestamptz not null,
        -- Null: sealed with a key of the account's client instead of a day key, so that the day key can be destroyed.
        key_day date,
        sealed bytea not null,
        -- plain: applied in batches; large: one by one; audio: the recording is stored before the fact is applied.
        lane text not null default 'plain' constraint inbox_lane_check check (lane in ('plain', 'large', 'audio')),
        state text not null default 'pending' constraint inbox_state_check check (state in ('pending', 'parked', 'unknown')),
        attempts integer not null default 0,
        -- How often it was postponed by errors that are not its own; the pause grows with it.
        postponements integer not null default 0,
        retry_at timestamptz,
        parked_at timestamptz,
        parked_reason text,
        -- W3C traceparent (two random ids and a flag), so that the next process continues the trace. Null: not traced.
        traceparent text
      ) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
      alter table inbox alter column sealed set storage external;
      -- For fair keyset reads: by lane and account, in the order in which facts are due.
      create index inbox_due_idx on inbox (lane, provider_account_id, (coalesce(retry_at, received_at)), id)
        where state = 'pending';
      -- Facts in any state: for the question whether a conversation has any left.
      create index inbox_conversation_idx on inbox (provider_account_id, identity_hash, received_at);
      create index inbox_key_day_idx on inbox (provider_account_id, key_day);
      create index inbox_parked_idx on inbox (parked_at, id) where state = 'parked';
    `);
    await isolate(runner, 'conversation_identities');
    await runner.query(`
      create policy ingest_claims on conversation_identities to colloquy_ingest using (true) with check (true);
      grant select on conversation_identities to colloquy_api;
      grant select, insert on conversation_identities to colloquy_ingest;
      grant select, insert, update on conversation_identities to colloquy_worker;
      grant select, insert on fact_receipts to colloquy_ingest;
      grant select, insert, delete on fact_receipts to colloquy_worker;
    `);
    await this.restrictInbox(runner);
  }

  down = forwardOnly;

  /** The API sees facts without their content, and only those whose identity row it may see. */
  private async restrictInbox(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table inbox enable row level security;
      alter table inbox force row level security;
      create policy client_isolation on inbox to colloquy_api using (exists (
        select from conversation_identities i
        where i.provider_account_id = inbox.provider_account_id and i.identity_hash = inbox.identity_hash
      ));
      create policy ingest_appends on inbox for insert to colloquy_ingest with check (true);
      create policy ingest_returns on inbox for select to colloquy_ingest using (true);
      create policy worker_sees_all on inbox to colloquy_worker using (true) with check (true);
      grant select (id, provider_account_id, identity_hash, source, kind, received_at, state, attempts, retry_at, parked_at,
        parked_reason) on inbox to colloquy_api;
      grant update (state, attempts, postponements, retry_at, parked_at, parked_reason) on inbox to colloquy_api;
      grant select, insert on inbox to colloquy_ingest;
      grant select, insert, update, delete on inbox to colloquy_worker;
    `);
  }
}
