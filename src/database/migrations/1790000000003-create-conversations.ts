// The read model of conversations. Plain columns hold no personal data; everything else is sealed with the conversation's data key.
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { forwardOnly, isolate } from './support.js';

const PART_STATE = `text not null default 'pending' check (%s_state in ('pending', 'present', 'absent', 'erased'))`;
const part = (name: string): string => `
  ${name}_state ${PART_STATE.replace('%s', name)},
  ${name}_reason text,
  ${name}_due_at timestamptz`;

export class CreateConversations1790000000003 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table conversations (
        id uuid constraint conversations_pkey primary key,
        client_id uuid not null,
        agent_id uuid,
        agent_version text,
        provider text not null,
        provider_account_id uuid not null,
        channel text not null,
        direction text,
        status text not null check (status in ('ringing', 'active', 'transferring', 'completed', 'failed')),
        record_state text not null check (record_state in ('open', 'settling', 'settled', 'erasing', 'erased')),
        restricted boolean not null default false,
        start_time timestamptz not null,
        end_time timestamptz,
        duration_ms bigint,
        end_category text,
        end_party text,
        outcome text,
        outcome_score double precision,
        sentiment text,
        sentiment_score double precision,
        language text,
        turn_count integer not null default 0,
        transfer_count integer not null default 0,
        cost_amount_micros bigint,
        cost_currency text,
        latency_p50_ms integer,
        latency_p95_ms integer,
        latency_source text,
        ${part('transcript')},
        ${part('audio')},
        ${part('analysis')},
        last_fact_at timestamptz not null,
        last_turn_at timestamptz,
        header bytea not null,
        revision integer not null,
        created_at timestamptz not null,
        updated_at timestamptz not null,
        constraint conversations_identity_fk foreign key (id) references conversation_identities (id)
      ) with (fillfactor = 80);
      create index conversations_client_start_idx on conversations (client_id, start_time desc, id desc);
      create index conversations_start_idx on conversations (start_time desc, id desc);
      create index conversations_agent_start_idx on conversations (client_id, agent_id, start_time desc, id desc);
      create index conversations_live_idx on conversations (start_time desc, id desc)
        where status in ('ringing', 'active', 'transferring');
      create index conversations_unsettled_idx on conversations (id) where record_state in ('open', 'settling');

      -- What the reducer needs to merge the next fact: values with their stamps. Sealed.
      create table conversation_states (
        conversation_id uuid constraint conversation_states_pkey primary key,
        client_id uuid not null,
        sealed bytea not null
      );
      -- The provider's own document, latest version. Sealed.
      create table provider_records (
        conversation_id uuid constraint provider_records_pkey primary key,
        client_id uuid not null,
        sealed bytea not null
      );
      create table transcripts (
        conversation_id uuid constraint transcripts_pkey primary key,
        client_id uuid not null,
        revision integer not null,
        final boolean not null,
        sealed bytea not null
      );
      alter table conversation_states alter column sealed set storage external;
      alter table provider_records alter column sealed set storage external;
      alter table transcripts alter column sealed set storage external;
      create table recordings (
        id uuid constraint recordings_pkey primary key,
        conversation_id uuid not null,
        client_id uuid not null,
        variant text not null check (variant in ('mixed', 'agent', 'customer', 'redacted')),
        content_type text not null,
        bytes bigint not null,
        duration_ms bigint,
        object_key text not null,
        created_at timestamptz not null,
        constraint recordings_variant_unique unique (conversation_id, variant)
      );
      create table blind_indexes (
        client_id uuid not null,
        kind text not null,
        hash bytea not null,
        start_time timestamptz not null,
        conversation_id uuid not null,
        constraint blind_indexes_pkey primary key (client_id, kind, hash, start_time, conversation_id)
      );
      create index blind_indexes_conversation_idx on blind_indexes (conversation_id);
      create table wakes (
        id bigint generated always as identity constraint wakes_pkey primary key,
        conversation_id uuid not null,
        kind text not null check (kind in ('started', 'ended', 'late')),
        created_at timestamptz not null default now()
      );
    `);
    for (const table of CLIENT_TABLES) await isolate(runner, table);
    await runner.query(`
      grant select on conversations, provider_records, transcripts, recordings, blind_indexes to colloquy_api;
      grant select, insert, update, delete on ${CLIENT_TABLES.join(', ')}, wakes to colloquy_worker;
    `);
  }

  down = forwardOnly;
}

const CLIENT_TABLES = [
  'conversations',
  'conversation_states',
  'provider_records',
  'transcripts',
  'recordings',
  'blind_indexes',
];
