// Conversations that the index must update, divided among the workers. Indexing holds no row lock, because intake would wait for
// it. Instead, a claim sets a time until which no other worker takes the row.
import { Injectable } from '@nestjs/common';
import { WorkerDatabase } from '../database/database.js';

export interface ClaimedTodo {
  conversationId: string;
  revision: number;
  /** Time of the first change that is not indexed. */
  since: Date;
}

/** A conversation is indexed up to this revision. */
export interface IndexedRevision {
  conversationId: string;
  revision: number;
}

/** How long the rows of a crashed worker wait. Longer than a round can take (limits.ts). */
const CLAIM_SECONDS = 40;
const LONGEST_PAUSE_SECONDS = 300;

// Here and below, skips locked rows: intake and the indexer each lock several at once and could deadlock.
const CLAIM = `
with due as materialized (
  select conversation_id from search_todo where due_at <= now() order by due_at limit $1 for update skip locked)
update search_todo t set due_at = now() + make_interval(secs => ${CLAIM_SECONDS}) from due
where t.conversation_id = due.conversation_id
returning t.conversation_id as "conversationId", t.revision, t.since`;

/** Rows of $1, $2 without a later change. */
const THESE = `
with these as materialized (
  select t.conversation_id from search_todo t
  join unnest($1::uuid[], $2::integer[]) as done(id, revision) on done.id = t.conversation_id
  where t.revision <= done.revision for update of t skip locked)`;
const REMOVE = `${THESE} delete from search_todo t using these where t.conversation_id = these.conversation_id`;
const RELEASE = `${THESE} update search_todo t set due_at = now() from these where t.conversation_id = these.conversation_id`;
// 1, 2, 4 … 300 s, ±25%.
const POSTPONE = `${THESE} update search_todo t set attempts = t.attempts + 1, due_at = now()
  + make_interval(secs => least(${LONGEST_PAUSE_SECONDS}, power(2, least(t.attempts, 20))) * (0.75 + random() / 2))
from these where t.conversation_id = these.conversation_id`;

const ADD = `
insert into search_todo (conversation_id, client_id, revision)
select id, client_id, revision from conversations where id = any($1::uuid[]) on conflict do nothing`;
// Without failed and claimed rows.
const BEHIND = `
select since from search_todo where due_at <= now() and attempts = 0 order by due_at limit 1`;

@Injectable()
export class SearchTodos {
  constructor(private readonly database: WorkerDatabase) {}

  /** Claims the next ones, oldest first. */
  claim(limit: number): Promise<ClaimedTodo[]> {
    return this.database.once<ClaimedTodo>('all', { name: 'search_claim', text: CLAIM, values: [limit] });
  }

  /** Queues these for indexing, whatever their revision. */
  async add(conversationIds: readonly string[]): Promise<void> {
    if (conversationIds.length === 0) return;
    await this.database.once('all', { name: 'search_add', text: ADD, values: [conversationIds] });
  }

  /** Since when the next row to be claimed waits; null: none waits. */
  async waitsSince(): Promise<Date | null> {
    const [next] = await this.database.once<{ since: Date }>('all', { name: 'search_behind', text: BEHIND });
    return next?.since ?? null;
  }

  /** Removes indexed conversations; rows that changed meanwhile stay. */
  async remove(done: readonly IndexedRevision[]): Promise<void> {
    await this.change({ name: 'search_done', text: REMOVE }, done);
  }

  /** Delays failed conversations, longer after each failure. */
  async postpone(failed: readonly IndexedRevision[]): Promise<void> {
    await this.change({ name: 'search_postpone', text: POSTPONE }, failed);
  }

  /** Returns unprocessed claims. */
  async release(claimed: readonly IndexedRevision[]): Promise<void> {
    await this.change({ name: 'search_release', text: RELEASE }, claimed);
  }

  private async change(statement: { name: string; text: string }, rows: readonly IndexedRevision[]): Promise<void> {
    if (rows.length === 0) return;
    const values = [rows.map(({ conversationId }) => conversationId), rows.map(({ revision }) => revision)];
    await this.database.once('all', { ...statement, values });
  }
}
