// Look-ups of conversations by keyed hash, and which revision of each is in them. The API reads, the worker writes.
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createRole, grantRole, LOGINS } from '../../logins.js';
import { forwardOnly, isolate } from '../../migrations/support.js';

const ROLES = { api: 'colloquy_search_api', worker: 'colloquy_search_worker' };

export class CreateSearch1800000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await this.createRoles(runner);
    await runner.query(`
      -- In the order in which pages are read: by value, newest first.
      create table blind_indexes (
        client_id uuid not null,
        kind text not null,
        hash bytea not null,
        start_time timestamptz not null,
        conversation_id uuid not null,
        constraint blind_indexes_pkey primary key (client_id, kind, hash, start_time, conversation_id)
      );
      create index blind_indexes_conversation_idx on blind_indexes (conversation_id);
      -- The fence: an older revision never overwrites a newer one. The row of an erased conversation stays.
      create table indexed_conversations (
        conversation_id uuid constraint indexed_conversations_pkey primary key,
        generation integer not null,
        revision integer not null,
        live boolean not null
      );
      create table search_state (
        id integer default 1 constraint search_state_pkey primary key constraint search_state_only_row check (id = 1),
        generation integer not null default 0,
        complete boolean not null default false,
        indexed_until timestamptz,
        -- A rebuild walks over all conversations by id: the last one it has written, and who may write the next.
        rebuilding boolean not null default false,
        rebuild_started_at timestamptz,
        rebuild_after uuid,
        rebuild_written integer not null default 0,
        rebuild_total integer,
        rebuild_version integer not null default 0,
        rebuild_leased_until timestamptz
      );
      insert into search_state default values;
    `);
    await isolate(runner, 'blind_indexes', 'client_id', ROLES);
    await runner.query(`
      grant select on migrations, blind_indexes, search_state to ${ROLES.api}, ${ROLES.worker};
      grant insert, delete on blind_indexes to ${ROLES.worker};
      grant select, insert, update, delete on indexed_conversations to ${ROLES.worker};
      grant update on search_state to ${ROLES.worker};
    `);
  }

  down = forwardOnly;

  private async createRoles(runner: QueryRunner): Promise<void> {
    for (const [process, role] of [
      ['api', ROLES.api],
      ['worker', ROLES.worker],
    ] as const) {
      await createRole(runner, role);
      await createRole(runner, LOGINS[process], 'noinherit');
      // Row-level security applies to the owner too: by inheriting, a later migration sees the rows that it changes.
      await grantRole(runner, 'current_user', role, 'inherit');
      await grantRole(runner, LOGINS[process], role);
    }
  }
}
