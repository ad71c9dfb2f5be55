// Wrapped keys. The row of a destroyed key stays, so that the key is not created again.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateKeystore1800000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table keks (
        id integer generated always as identity constraint keks_pkey primary key,
        client_id uuid not null,
        epoch integer not null,
        wrapped bytea,
        created_at timestamptz not null default now(),
        destroyed_at timestamptz,
        constraint keks_client_epoch_unique unique (client_id, epoch),
        constraint keks_live_or_destroyed check ((wrapped is null) <> (destroyed_at is null))
      );
      -- No foreign keys to keks: their check would lock one row per client for every new conversation.
      create table data_keys (
        purpose text not null,
        owner uuid not null,
        part text not null default '',
        -- Null: of a key that was destroyed before it was ever made.
        kek_id integer,
        wrapped bytea,
        created_at timestamptz not null default now(),
        destroyed_at timestamptz,
        constraint data_keys_pkey primary key (purpose, owner, part),
        constraint data_keys_purpose check (purpose in ('client', 'inbox', 'index', 'identity', 'suppression')),
        constraint data_keys_live_or_destroyed check ((wrapped is null) <> (destroyed_at is null)),
        constraint data_keys_wrapped_by check (wrapped is null or kek_id is not null)
      );
    `);
    await this.createConversationKeys(runner);
  }

  /**
   * 248 bytes a row: an eighth column that may be null is the last that the row's header has room for, and 39 bytes are the
   * longest wrapped key. What is rare is therefore in a table of its own, and the time of a conversation is that of its id.
   */
  private async createConversationKeys(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table conversation_keys (
        conversation_id uuid constraint conversation_keys_pkey primary key,
        -- Null: of keys that were destroyed before they were ever made.
        kek_id integer,
        -- A key for each class of data, and one for facts that could not be applied. Null: destroyed.
        record bytea,
        transcript bytea,
        audio bytea,
        analysis bytea,
        parked bytea,
        -- When a key of this row was last destroyed.
        destroyed_at timestamptz,
        constraint conversation_keys_live_or_destroyed check (case when destroyed_at is null
          then num_nulls(record, transcript, audio, analysis, parked) = 0 else parked is null end),
        constraint conversation_keys_wrapped_by
          check (kek_id is not null or num_nonnulls(record, transcript, audio, analysis, parked) = 0)
      );
      -- Keys that were found to belong to no conversation; using a key removes its row here (key-sweep.ts).
      create table keys_marked_for_deletion (
        conversation_id uuid constraint keys_marked_for_deletion_pkey primary key,
        marked_for_deletion_at timestamptz not null default now()
      );
      create index keys_marked_for_deletion_at_idx on keys_marked_for_deletion (marked_for_deletion_at);
    `);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only: dropping the keystore would destroy every key');
  }
}
