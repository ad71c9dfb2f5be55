// Wrapped keys. The row of a destroyed key stays, so that the key is not created again.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateKeystore1800000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table keks (
        client_id uuid not null,
        epoch integer not null,
        wrapped bytea,
        created_at timestamptz not null default now(),
        destroyed_at timestamptz,
        constraint keks_pkey primary key (client_id, epoch),
        constraint keks_live_or_destroyed check ((wrapped is null) <> (destroyed_at is null))
      );
      -- No foreign key to keks: its check would lock one row per client for every new conversation.
      create table data_keys (
        purpose text not null,
        owner uuid not null,
        part text not null default '',
        client_id uuid not null,
        epoch integer not null,
        wrapped bytea,
        -- When it was found to belong to no conversation; using the key clears it (key-sweep.ts).
        marked_for_deletion_at timestamptz,
        created_at timestamptz not null default now(),
        destroyed_at timestamptz,
        constraint data_keys_pkey primary key (purpose, owner, part),
        constraint data_keys_purpose check (purpose in ('conversation', 'client', 'inbox', 'index', 'identity')),
        constraint data_keys_live_or_destroyed check ((wrapped is null) <> (destroyed_at is null))
      );
      create index data_keys_marked_for_deletion_idx on data_keys (marked_for_deletion_at) where marked_for_deletion_at is not null;
    `);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only: dropping the keystore would destroy every key');
  }
}
