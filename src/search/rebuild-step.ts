// One step of a rebuild: rewrites the entries of the next conversations by id, in place, and removes index entries in that range
// that have no conversation. Conversations can be found throughout.
import { Injectable } from '@nestjs/common';
import { WorkerDatabase } from '../database/database.js';
import { IndexDocuments } from './index-documents.js';
import { IndexWriter } from './index-writer.js';
import { SearchTodos } from './search-todos.js';

export interface StepResult {
  /** Start of the next step; null: this was the last one. */
  next: string | null;
  /** Number of conversations checked. */
  done: number;
}

const PAGE = `
select id from conversations where $1::uuid is null or id > $1 order by id limit $2`;

/** Above this number the planner's estimate is good enough. */
const COUNTED = 100_000;
const TOTAL = `
select greatest((select count(*) from (select from conversations limit ${COUNTED}) as counted),
  (select reltuples from pg_class where oid = 'conversations'::regclass))::integer as total`;

@Injectable()
export class RebuildStep {
  constructor(
    private readonly database: WorkerDatabase,
    private readonly documents: IndexDocuments,
    private readonly index: IndexWriter,
    private readonly todos: SearchTodos,
  ) {}

  /**
   * Writes at most `limit` conversations after `after` (null: from the first). May be repeated, delayed, or run by two workers at
   * once. Throws `search_unavailable`, `storage_unavailable` and `keystore_unavailable`.
   */
  async rebuildStep(after: string | null, limit: number): Promise<StepResult> {
    const rows = await this.database.once<{ id: string }>('all', {
      name: 'rebuild_page',
      text: PAGE,
      values: [after, limit],
    });
    const ids = rows.map(({ id }) => id);
    const { documents, gone, failed } = await this.documents.read(ids);
    await this.index.write(documents);
    await this.index.remove(gone);
    // The indexer handles their failures; their existing entries are kept.
    const broken = failed.map(({ conversationId }) => conversationId);
    await this.todos.add(broken);
    await this.index.keep(broken);
    const next = ids.length === limit ? (ids.at(-1) ?? null) : null;
    await this.index.sweep(after, next);
    return { next, done: ids.length };
  }

  /** Approximate number of conversations. */
  async total(): Promise<number> {
    const [row] = await this.database.once<{ total: number }>('all', { name: 'rebuild_total', text: TOTAL });
    return row?.total ?? 0;
  }
}
