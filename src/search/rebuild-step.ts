// One step of a rebuild: the next conversations by id are written anew, in place, and what is in the index between them and is no
// conversation any more goes. Nothing that is found stops being found in between.
import { Injectable } from '@nestjs/common';
import { WorkerDatabase } from '../database/database.js';
import { IndexDocuments } from './index-documents.js';
import { IndexWriter } from './index-writer.js';
import { SearchTodos } from './search-todos.js';

export interface StepResult {
  /** Where the next step begins; null: that was the last one. */
  next: string | null;
  /** Conversations that were looked at. */
  done: number;
}

const PAGE = `
select id from conversations where $1::uuid is null or id > $1 order by id limit $2`;

/** Beyond this the planner's estimate is good enough. */
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
   * Writes the conversations after `after` (null: from the first), at most `limit`. May be done twice, late, and by two workers at
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
    // Their failure is the indexer's to count; what is there of them stays.
    const broken = failed.map(({ conversationId }) => conversationId);
    await this.todos.add(broken);
    await this.index.keep(broken);
    const next = ids.length === limit ? (ids.at(-1) ?? null) : null;
    await this.index.sweep(after, next);
    return { next, done: ids.length };
  }

  /** About how many conversations there are. */
  async total(): Promise<number> {
    const [row] = await this.database.once<{ total: number }>('all', { name: 'rebuild_total', text: TOTAL });
    return row?.total ?? 0;
  }
}
