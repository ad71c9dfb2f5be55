// Which conversations the index lags behind, shared out between the workers. No lock is held while one of them is indexed: intake
// would wait for it. A claim is a time instead, until which nobody else takes the row.
import { Injectable } from '@nestjs/common';
import { WorkerDatabase } from '../database/database.js';

export interface ClaimedTodo {
  conversationId: string;
  revision: number;
  /** When the first change that the index lacks was made. */
  since: Date;
}

/** What was indexed: everything up to this revision. */
export interface IndexedRevision {
  conversationId: string;
  revision: number;
}

/** A worker that died keeps its rows no longer. Longer than a round can take (limits.ts). */
const CLAIM_SECONDS = 40;
const LONGEST_PAUSE_SECONDS = 300;

// Skips rows that somebody is changing, here and below: intake holds several of them at once, and so does a batch of ours.
const CLAIM = `
with due as materialized (
  select conversation_id from search_todo where due_at <= now() order by due_at limit $1 for update skip locked)
update search_todo t set due_at = now() + make_interval(secs => ${CLAIM_SECONDS}) from due
where t.conversation_id = due.conversation_id
returning t.conversation_id as "conversationId", t.revision, t.since`;

/** Those of $1, $2 that no later change has replaced. */
const THESE = `
with these as materialized (
  select t.conversation_id from search_todo t
  join unnest($1::uuid[], $2::integer[]) as done(id, revision) on done.id = t.conversation_id
  where t.revision <= done.revision for update of t skip locked)`;
const REMOVE = `${THESE} delete from search_todo t using these where t.conversation_id = these.conversation_id`;
const RELEASE = `${THESE} update search_todo t set due_at = now() from these where t.conversation_id = these.conversation_id`;
// 1, 2, 4 … 300 s, a quarter more or less.
const POSTPONE = `${THESE} update search_todo t set attempts = t.attempts + 1, due_at = now()
  + make_interval(secs => least(${LONGEST_PAUSE_SECONDS}, power(2, least(t.attempts, 20))) * (0.75 + random() / 2))
from these where t.conversation_id = these.conversation_id`;

const ADD = `
insert into search_todo (conversation_id, client_id, revision)
select id, client_id, revision from conversations where id = any($1::uuid[]) on conflict do nothing`;
// Not one that has failed before, nor one that a worker is at.
const BEHIND = `
select since from search_todo where due_at <= now() and attempts = 0 order by due_at limit 1`;

@Injectable()
export class SearchTodos {
  constructor(private readonly database: WorkerDatabase) {}

  /** Takes the next ones, those that wait longest first. */
  claim(limit: number): Promise<ClaimedTodo[]> {
    return this.database.once<ClaimedTodo>('all', { name: 'search_claim', text: CLAIM, values: [limit] });
  }

  /** These must be looked at again, whatever their revision. */
  async add(conversationIds: readonly string[]): Promise<void> {
    if (conversationIds.length === 0) return;
    await this.database.once('all', { name: 'search_add', text: ADD, values: [conversationIds] });
  }

  /** Since when the next one to be claimed waits; null: none does. */
  async waitsSince(): Promise<Date | null> {
    const [next] = await this.database.once<{ since: Date }>('all', { name: 'search_behind', text: BEHIND });
    return next?.since ?? null;
  }

  /** These are in the index; a row that was written again meanwhile stays. */
  async remove(done: readonly IndexedRevision[]): Promise<void> {
    await this.change({ name: 'search_done', text: REMOVE }, done);
  }

  /** These failed for a reason of their own: they wait, longer each time. */
  async postpone(failed: readonly IndexedRevision[]): Promise<void> {
    await this.change({ name: 'search_postpone', text: POSTPONE }, failed);
  }

  /** Nothing was done about these. */
  async release(claimed: readonly IndexedRevision[]): Promise<void> {
    await this.change({ name: 'search_release', text: RELEASE }, claimed);
  }

  private async change(statement: { name: string; text: string }, rows: readonly IndexedRevision[]): Promise<void> {
    if (rows.length === 0) return;
    const values = [rows.map(({ conversationId }) => conversationId), rows.map(({ revision }) => revision)];
    await this.database.once('all', { ...statement, values });
  }
}
