// Finds conversations with facts to apply: round-robin over provider accounts, by keyset, at a cost that does not depend on the
// size of the backlog.
import type { Database } from '../database/database.js';
import type { Lane } from './lanes.js';
import { DUE, type Candidate } from './pending-facts.js';

export interface WaitingCandidate extends Candidate {
  /** Sealed bytes of its waiting facts, as far as the query read them. */
  bytes: number;
  /** Its position among the conversations of its account, from 1. */
  rank: number;
}

/** Accounts per query. */
const ACCOUNTS = 32;
/** Facts that one query reads, divided among its accounts; at least {@link MIN_FACTS} of each. */
const FACTS = 128;
const MIN_FACTS = 8;

const NIL = '00000000-0000-0000-0000-000000000000';
const WAITING = "state = 'pending' and lane = $1";

const FIND = `
with recursive next as (
  (select provider_account_id as id from inbox where ${WAITING} and provider_account_id > $2 order by 1 limit 1)
  union all
  select (select provider_account_id from inbox where ${WAITING} and provider_account_id > next.id order by 1 limit 1)
  from next where next.id is not null
), accounts as materialized (
  select id from next where id is not null limit ${ACCOUNTS}
), share as materialized (
  select greatest(${MIN_FACTS}, ${FACTS} / greatest(count(*), 1)) as facts, count(*) as accounts from accounts
), due as (
  select a.id as provider_account_id, f.* from accounts a
  left join unnest($3::uuid[], $4::timestamptz[], $5::uuid[]) as c(account_id, due, id) on c.account_id = a.id
  cross join lateral (
    select identity_hash, ${DUE} as due, i.id, octet_length(sealed) as bytes from inbox i
    where ${WAITING} and i.provider_account_id = a.id and ${DUE} <= now()
      and (${DUE}, i.id) > (coalesce(c.due, '-infinity'), coalesce(c.id, '${NIL}'))
    order by ${DUE}, i.id limit (select facts from share)
  ) as f
), conversations as (
  select provider_account_id, identity_hash, least(sum(bytes), 2147483647)::int as bytes, min(due) as due,
    (array_agg(id order by due, id))[1] as id, count(*) over account as conversations,
    sum(count(*)) over account >= (select facts from share) as has_more,
    row_number() over (partition by provider_account_id order by min(due), (array_agg(id order by due, id))[1]) as rank
  from due group by provider_account_id, identity_hash window account as (partition by provider_account_id)
)
select (select accounts from share)::int as accounts, (select id from accounts order by id desc limit 1) as last_account,
  c.provider_account_id, identity_hash, bytes, rank::int, due::text, id, conversations::int, has_more
from (select) as always left join (select * from conversations order by rank, due limit $6) as c on true order by rank, due`;

interface Row extends Omit<WaitingCandidate, 'provider_account_id'> {
  accounts: number;
  last_account: string | null;
  /** Null in the only row of a query that found nothing. */
  provider_account_id: string | null;
  due: string;
  id: string;
  /** How many conversations of its account the query found. */
  conversations: number;
  /** Whether its account has more facts than the query read. */
  has_more: boolean;
}

/** The last fact of an account that was read; the next query starts behind it. */
interface Cursor {
  due: string;
  id: string;
}

/** Iterates over the waiting conversations of a lane, query by query, and starts again at the end. */
export class Candidates {
  private readonly cursors = new Map<string, Cursor>();
  /** The last account of the previous query; null: it reached the end. */
  private lastAccount: string | null = null;

  constructor(
    private readonly database: Pick<Database, 'once'>,
    private readonly lane: Lane,
    private readonly limit: number,
  ) {}

  /** There is more to find before the end. */
  get hasMore(): boolean {
    return this.lastAccount !== null || this.cursors.size > 0;
  }

  /** The next conversations, round-robin over accounts, longest waiting first; empty if nothing waits. */
  async next(): Promise<WaitingCandidate[]> {
    let isFromStart = !this.hasMore;
    for (;;) {
      const found = await this.findOnce();
      if (found.length > 0) return found;
      if (this.lastAccount !== null) continue;
      if (isFromStart) return [];
      // Start again: skipped conversations (held by another worker) and late facts are before the cursors.
      isFromStart = true;
    }
  }

  /**
   * Another worker is at the same position: continue at a random one, so that they do not follow each other. All workers start
   * with the longest waiting, since there may be only one; meeting there costs one round.
   */
  scatter(now = Date.now(), random = Math.random()): void {
    for (const [account, { due }] of this.cursors) {
      const from = Date.parse(due);
      if (!(from < now)) continue;
      this.cursors.set(account, { due: new Date(from + (now - from) * random).toISOString(), id: NIL });
    }
  }

  private async findOnce(): Promise<WaitingCandidate[]> {
    const cursors = [...this.cursors];
    const values = [
      ...[this.lane, this.lastAccount ?? NIL],
      ...[cursors.map(([account]) => account), cursors.map(([, { due }]) => due), cursors.map(([, { id }]) => id)],
      this.limit,
    ];
    const rows = await this.database.once<Row>('all', { name: 'candidates', text: FIND, values });
    const [first] = rows;
    const before = this.lastAccount;
    this.lastAccount = (first?.accounts ?? 0) < ACCOUNTS ? null : (first?.last_account ?? null);
    const found = rows.filter((row): row is Row & WaitingCandidate => row.provider_account_id !== null);
    this.advance(found, { after: before, to: this.lastAccount });
    return found;
  }

  private advance(found: (Row & WaitingCandidate)[], { after, to }: { after: string | null; to: string | null }): void {
    const taken = new Map<string, (Row & WaitingCandidate)[]>();
    for (const row of found) {
      const rows = taken.get(row.provider_account_id);
      if (rows === undefined) taken.set(row.provider_account_id, [row]);
      else rows.push(row);
    }
    // Accounts in the range of this query without further facts start again from the beginning.
    for (const account of this.cursors.keys()) {
      const wasRead = (after === null || account > after) && (to === null || account <= to);
      if (wasRead && !taken.has(account)) this.cursors.delete(account);
    }
    for (const [account, rows] of taken) {
      const last = rows.at(-1);
      if (last === undefined) continue;
      if (last.has_more || last.conversations > rows.length) this.cursors.set(account, { due: last.due, id: last.id });
      else this.cursors.delete(account);
    }
  }
}
