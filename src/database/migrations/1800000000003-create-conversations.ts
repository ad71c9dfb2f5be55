// The read model of conversations. Plain columns hold no personal data; the rest is sealed with the conversation's data key.
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { forwardOnly, isolate } from './support.js';

/** Transcript, audio or analysis: whether it is present, why not, and until when to wait for it. */
const part = (name: string): string => `
  ${name}_state text not null default 'pending' constraint conversations_${name}_state_check
    check (${name}_state in ('pending', 'present', 'absent', 'erased')),
  ${name}_reason text,
  ${name}_due_at timestamptz`;

/** A document in parts, one for each class of data; null: there is none. */
const SEALED_PARTS = `record bytea, transcript bytea, audio bytea, analysis bytea`;

/** Sealed bytes are not compressed again. */
const storedAsIs = (table: string): string =>
  ['record', 'transcript', 'audio', 'analysis']
    .map((part) => `alter table ${table} alter column ${part} set storage external;`)
    .join(' ');

export class CreateConversations1800000000003 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await this.createConversations(runner);
    await this.createContent(runner);
    await runner.query(`
      create table workflow_commands (
        id bigint generated always as identity constraint workflow_commands_pkey primary key,
        workflow text not null,
        entity_id uuid not null,
        kind text not null,
        -- As in the inbox.
        traceparent text,
        created_at timestamptz not null default now(),
        -- A worker is delivering it; when that ends without a word, another one may. In no index, so that claiming is cheap.
        leased_until timestamptz,
        -- What went wrong so far: how often Temporal refused it, why the last time, and when it is tried again; or since when
        -- it waits for a person.
        attempts integer not null default 0,
        error text,
        retry_at timestamptz,
        parked_at timestamptz,
        constraint workflow_commands_words_check check (workflow ~ '^[A-Za-z]{1,64}$' and kind ~ '^[a-z_]{1,64}$'
          and error ~ '^[A-Za-z0-9_]{1,64}$')
      ) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
      create index workflow_commands_new_idx on workflow_commands (id) where attempts = 0;
      create index workflow_commands_refused_idx on workflow_commands (parked_at, retry_at) where attempts > 0;
      create index workflow_commands_entity_idx on workflow_commands (entity_id);
    `);
    for (const table of CLIENT_TABLES) await isolate(runner, table);
    await runner.query(`
      grant select on conversations, provider_records, transcripts, recordings to colloquy_api;
      grant select, insert, update on ${CLIENT_TABLES.join(', ')}, workflow_commands to colloquy_worker;
      grant delete on search_todo, workflow_commands to colloquy_worker;
      grant select, insert, delete on orphaned_objects to colloquy_worker;
    `);
  }

  down = forwardOnly;

  private async createConversations(runner: QueryRunner): Promise<void> {
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
        status text not null constraint conversations_status_check
          check (status in ('ringing', 'active', 'transferring', 'completed', 'failed')),
        record_state text not null constraint conversations_record_state_check
          check (record_state in ('open', 'settling', 'settled', 'erasing', 'erased')),
        restricted boolean not null default false,
        -- Who holds it now, by its last segment.
        holder text not null default 'agent' constraint conversations_holder_check
          check (holder in ('agent', 'phone', 'human', 'queue')),
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
        -- A recording has yet to be fetched; a settled conversation can wait for another variant.
        unfetched boolean not null default false,
        last_fact_at timestamptz not null,
        last_turn_at timestamptz,
        -- Sealed, in parts: what belongs to the record, what was collected in the call, what was made of it.
        header bytea not null,
        transcript_header bytea,
        analysis_header bytea,
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
      -- Conversations whose workflow must be running; they are restarted if Temporal loses its data.
      create index conversations_unfinished_idx on conversations (id)
        where record_state in ('open', 'settling') or unfetched;
    `);
  }

  private async createContent(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- What the reducer needs to merge the next fact: values with their stamps.
      create table conversation_states (
        conversation_id uuid constraint conversation_states_pkey primary key,
        client_id uuid not null,
        revision integer not null,
        ${SEALED_PARTS}
      );
      -- The latest version of the provider's document.
      create table provider_records (
        conversation_id uuid constraint provider_records_pkey primary key,
        client_id uuid not null,
        revision integer not null,
        ${SEALED_PARTS}
      );
      create table transcripts (
        conversation_id uuid constraint transcripts_pkey primary key,
        client_id uuid not null,
        revision integer not null,
        sealed bytea not null
      );
      ${['conversation_states', 'provider_records'].map(storedAsIs).join('\n      ')}
      alter table transcripts alter column sealed set storage external;
      create table recordings (
        id uuid constraint recordings_pkey primary key,
        conversation_id uuid not null,
        client_id uuid not null,
        variant text not null constraint recordings_variant_check
          check (variant in ('mixed', 'agent', 'customer', 'redacted')),
        content_type text not null,
        bytes bigint not null,
        duration_ms bigint,
        object_key text not null,
        created_at timestamptz not null,
        constraint recordings_variant_unique unique (conversation_id, variant)
      );
      -- Every attempt to store a recording writes its own object. Objects that no recording refers to are listed here, from
      -- before they are written until a recording refers to them or they are deleted.
      create table orphaned_objects (
        object_key text constraint orphaned_objects_pkey primary key,
        conversation_id uuid not null,
        since timestamptz not null default now()
      );
      -- Conversations whose look-ups are out of date; the hashes themselves are in the search database alone.
      create table search_todo (
        conversation_id uuid constraint search_todo_pkey primary key,
        client_id uuid not null,
        revision integer not null,
        since timestamptz not null default now(),
        due_at timestamptz not null default now(),
        attempts integer not null default 0
      ) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
      create index search_todo_due_idx on search_todo (due_at);
    `);
  }
}

const CLIENT_TABLES = [
  'conversations',
  'conversation_states',
  'provider_records',
  'transcripts',
  'recordings',
  'search_todo',
];
