// Writes the search database. Every write is fenced: an older revision never overwrites a newer one, and a removed conversation is
// never written again. So every operation here may be repeated, delayed, or run by two workers at once.
import { Injectable } from '@nestjs/common';
import { SearchDatabase } from '../database/search/search-database.js';
import type { BlindIndexEntry } from './blind-index-entries.js';

/** The index entries of a conversation at one revision. */
export interface IndexDocument {
  conversationId: string;
  clientId: string;
  revision: number;
  startTime: Date;
  entries: BlindIndexEntry[];
}

// A fixed order, so that two writers of the same conversations cannot deadlock.
const ORDERED = 'order by asked.id';
const FENCE = `
insert into indexed_conversations as i (conversation_id, generation, revision, live)
select asked.id, s.generation, asked.revision, true
from unnest($1::uuid[], $2::integer[]) as asked(id, revision) cross join search_state s ${ORDERED}
on conflict (conversation_id) do update set generation = excluded.generation, revision = excluded.revision
where i.live and (i.generation, i.revision) <= (excluded.generation, excluded.revision)
returning conversation_id`;
const ENTRIES = `
unnest($2::uuid[], $3::text[], $4::bytea[], $5::double precision[], $6::uuid[]) as e(client_id, kind, hash, ms, conversation_id)`;
const DELETE_OTHERS = `
delete from blind_indexes b where b.conversation_id = any($1::uuid[]) and not exists (
  select from ${ENTRIES}
  where e.conversation_id = b.conversation_id and e.client_id = b.client_id and e.kind = b.kind and e.hash = b.hash
    and to_timestamp(e.ms / 1000) = b.start_time)`;
const INSERT = `
insert into blind_indexes (client_id, kind, hash, start_time, conversation_id)
select client_id, kind, hash, to_timestamp(ms / 1000), conversation_id from ${ENTRIES}
where conversation_id = any($1::uuid[]) on conflict do nothing`;

const CLOSE = `
insert into indexed_conversations (conversation_id, generation, revision, live)
select asked.id, s.generation, 0, false from unnest($1::uuid[]) as asked(id) cross join search_state s ${ORDERED}
on conflict (conversation_id) do update set generation = excluded.generation, live = false`;
const DELETE_ALL = 'delete from blind_indexes where conversation_id = any($1::uuid[])';

const KEEP = `
update indexed_conversations i set generation = s.generation from search_state s
where i.conversation_id = any($1::uuid[]) and i.live`;
// Locks first, so that rows written concurrently are re-checked.
const SWEEP = `
with passed as materialized (
  select i.conversation_id from indexed_conversations i
  where ($1::uuid is null or i.conversation_id > $1) and ($2::uuid is null or i.conversation_id <= $2)
    and i.live and i.generation < (select generation from search_state)
  order by i.conversation_id for update),
cleared as (delete from blind_indexes b using passed where b.conversation_id = passed.conversation_id)
delete from indexed_conversations i using passed where i.conversation_id = passed.conversation_id`;

@Injectable()
export class IndexWriter {
  constructor(private readonly database: SearchDatabase) {}

  /** Replaces the entries of these conversations unless newer ones exist. Throws `search_unavailable`. */
  async write(documents: readonly IndexDocument[]): Promise<void> {
    if (documents.length === 0) return;
    const values = [documents.map(({ conversationId }) => conversationId), documents.map(({ revision }) => revision)];
    await this.database.withScope('all', async (tx) => {
      // Takes the locks: the statements that follow see earlier writes to these conversations.
      const rows = await tx.query<{ conversation_id: string }>({ name: 'index_fence', text: FENCE, values });
      const accepted = new Set(rows.map((row) => row.conversation_id));
      const entries = entriesOf(documents.filter(({ conversationId }) => accepted.has(conversationId)));
      const written = Promise.all([
        tx.query({ name: 'index_out', text: DELETE_OTHERS, values: [[...accepted], ...entries] }),
        tx.query({ name: 'index_in', text: INSERT, values: [[...accepted], ...entries] }),
      ]);
      tx.commit();
      await written;
    });
  }

  /** Removes erased conversations and prevents later writes of them. Throws `search_unavailable`. */
  async remove(conversationIds: readonly string[]): Promise<void> {
    if (conversationIds.length === 0) return;
    await this.database.withScope('all', async (tx) => {
      const removed = Promise.all([
        tx.query({ name: 'index_close', text: CLOSE, values: [conversationIds] }),
        tx.query({ name: 'index_clear', text: DELETE_ALL, values: [conversationIds] }),
      ]);
      tx.commit();
      await removed;
    });
  }

  /** Keeps the entries of these and lets a rebuild count them as written. Throws `search_unavailable`. */
  async keep(conversationIds: readonly string[]): Promise<void> {
    if (conversationIds.length === 0) return;
    await this.database.once('all', { name: 'index_keep', text: KEEP, values: [conversationIds] });
  }

  /**
   * Removes conversations that a rebuild has not written because they are not in the content database: those with ids after
   * `from` and up to `until` (null: no bound). Throws `search_unavailable`.
   */
  async sweep(from: string | null, until: string | null): Promise<void> {
    await this.database.once('all', { name: 'index_sweep', text: SWEEP, values: [from, until] });
  }

  /** Resolves when the search database answers. */
  ping(): Promise<void> {
    return this.database.ping();
  }
}

/** The entries of these documents as columns. */
function entriesOf(documents: readonly IndexDocument[]): unknown[][] {
  const rows = documents.flatMap(({ entries, ...document }) => entries.map((entry) => ({ ...document, ...entry })));
  return [
    rows.map(({ clientId }) => clientId),
    rows.map(({ kind }) => kind),
    rows.map(({ hash }) => hash),
    rows.map(({ startTime }) => startTime.getTime()),
    rows.map(({ conversationId }) => conversationId),
  ];
}
