// The append-only log of what happened, without personal data. Entries cannot be changed or deleted.
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { forwardOnly, isolate } from './support.js';

export class CreateJournal1800000000004 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table journal (
        position bigint generated always as identity constraint journal_pkey primary key,
        id uuid not null,
        -- The nil uuid is the system log: keys, accounts, settings.
        client_id uuid not null,
        conversation_id uuid,
        time timestamptz not null default clock_timestamp(),
        action text not null,
        object_ids uuid[] not null default '{}',
        actor_type text not null constraint journal_actor_type_check
          check (actor_type in ('key', 'workflow', 'provider', 'system')),
        actor_id text,
        purpose text,
        reason text,
        workflow_id text,
        changes text[] not null default '{}',
        revision integer
      );
      create index journal_conversation_idx on journal (conversation_id, position) where conversation_id is not null;
      create index journal_client_idx on journal (client_id, position);
      create index journal_listed_idx on journal (client_id, position) where action = 'content.listed';

      create function refuse_journal_change() returns trigger language plpgsql as $$
        begin raise exception 'the journal is append-only'; end $$;
      create trigger journal_append_only before update or delete or truncate on journal
        for each statement execute function refuse_journal_change();

      -- One journal entry per key, conversation, kind and 5-minute slot: whoever inserts this row writes the entry.
      create table content_reads (
        client_id uuid not null,
        api_key_id uuid not null,
        conversation_id uuid not null,
        kind text not null,
        slot timestamptz not null,
        constraint content_reads_pkey primary key (client_id, api_key_id, conversation_id, kind, slot)
      );
      create index content_reads_slot_idx on content_reads (slot);
    `);
    await isolate(runner, 'journal');
    await isolate(runner, 'content_reads');
    await runner.query(`
      grant select, insert on journal, content_reads to colloquy_api;
      grant select, insert on journal to colloquy_worker;
      grant select, delete on content_reads to colloquy_worker;
    `);
  }

  down = forwardOnly;
}
