// The append-only log of what happened, without personal data. Entries cannot be changed or deleted, and neither can their
// numbers.
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { forwardOnly, isolate } from './support.js';

export class CreateJournal1800000000004 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table journal (
        -- Drawn under the lock of the conversation, so it is the order of its entries (and therefore drawn one by one: an
        -- identity without a cache).
        position bigint generated always as identity constraint journal_pkey primary key,
        id uuid not null,
        -- The nil uuid is the system log: keys, accounts, settings.
        client_id uuid not null,
        conversation_id uuid,
        -- Milliseconds, as they are shown and hashed.
        time timestamptz(3) not null default clock_timestamp(),
        action text not null,
        object_ids uuid[] not null default '{}',
        actor_type text not null constraint journal_actor_type_check
          check (actor_type in ('key', 'workflow', 'provider', 'system')),
        actor_id text,
        purpose text,
        reason text,
        workflow_id text,
        changes text[] not null default '{}',
        revision integer,
        -- Of a page of a list: a hash of the conversations on it (src/journal/entry-line.ts).
        listed_hash bytea
      );
      create index journal_conversation_idx on journal (conversation_id, position) where conversation_id is not null;

      -- The conversations on a page of a list, for both questions: which were on it, and on which pages was one of them.
      create table journal_listed (
        conversation_id uuid not null,
        client_id uuid not null,
        position bigint not null,
        constraint journal_listed_pkey primary key (conversation_id, position)
      );
      create index journal_listed_position_idx on journal_listed (position);

      -- Entries that have no number yet. Every row is deleted soon; only what was appended last is here.
      create table journal_pending (
        position bigint constraint journal_pending_pkey primary key
      ) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, vacuum_truncate = false);

      -- The order of the journal, numbered after commit: \`seq\` without gaps, \`leaf\` without gaps in the log of a client. The
      -- hash is that of the entry's line in this version of lines (src/journal/entry-line.ts).
      create table journal_sequence (
        seq bigint constraint journal_sequence_pkey primary key,
        position bigint not null constraint journal_sequence_position_unique unique,
        leaf bigint not null,
        client_id uuid not null,
        hash bytea not null constraint journal_sequence_hash_check check (octet_length(hash) = 32),
        version smallint not null,
        constraint journal_sequence_leaf_unique unique (client_id, leaf)
      );
    `);
    await this.guard(runner);
    await this.createContentReads(runner);
    await isolate(runner, 'journal');
    await isolate(runner, 'journal_listed');
    await isolate(runner, 'journal_sequence');
    await runner.query(`
      grant select, insert on journal, journal_listed to colloquy_api;
      grant select, insert on journal, journal_sequence to colloquy_worker;
      grant select, delete on journal_pending to colloquy_worker;
    `);
  }

  down = forwardOnly;

  /** Entries cannot be changed. A trigger queues each entry for numbering, since writers have no rights on `journal_pending`. */
  private async guard(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create function refuse_journal_change() returns trigger language plpgsql as $$
        begin raise exception 'the journal is append-only'; end $$;
      create trigger journal_append_only before update or delete or truncate on journal
        for each statement execute function refuse_journal_change();
      create trigger journal_listed_append_only before update or delete or truncate on journal_listed
        for each statement execute function refuse_journal_change();
      create trigger journal_sequence_append_only before update or delete or truncate on journal_sequence
        for each statement execute function refuse_journal_change();

      create function await_journal_numbers() returns trigger language plpgsql security definer as $$
        begin
          insert into public.journal_pending select position from appended;
          return null;
        end $$;
      create trigger journal_awaits_numbers after insert on journal referencing new table as appended
        for each statement execute function await_journal_numbers();
    `);
  }

  private async createContentReads(runner: QueryRunner): Promise<void> {
    await runner.query(`
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
    await isolate(runner, 'content_reads');
    await runner.query(`
      grant select, insert on content_reads to colloquy_api;
      grant select, delete on content_reads to colloquy_worker;
    `);
  }
}
