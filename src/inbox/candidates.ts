// Which conversations have facts to apply: round-robin over provider accounts, by keyset, at a cost that does not depend on how
// many facts wait.
import type { Database } from '../database/database.js';
import type { Lane } from './lanes.js';
import { DUE, type Candidate } from './pending-facts.js';

export interface WaitingCandidate extends Candidate {
  /** Of its waiting facts together, sealed; of those that were looked at. */
  bytes: number;
  /** The how manieth it is of its account, from 1. */
  turn: number;
}

/** Accounts that one look goes to. */
const ACCOUNTS = 32;
/** Facts that one look reads, shared among its accounts; of each at least {@link FEWEST}. */
const FACTS = 128;
const FEWEST = 8;

const NIL = '00000000-0000-0000-0000-000000000000';
const WAITING = "state = 'pending' and lane = $1";

const LOOK = `
with recursive next as (
  (select provider_account_id as id from inbox where ${WAITING} and provider_account_id > $2 order by 1 limit 1)
  union all
  select (select provider_account_id from inbox where ${WAITING} and provider_account_id > next.id order by 1 limit 1)
  from next where next.id is not null
), accounts as materialized (
  select id from next where id is not null limit ${ACCOUNTS}
), share as materialized (
  select greatest(${FEWEST}, ${FACTS} / greatest(count(*), 1)) as facts, count(*) as accounts from accounts
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
    row_number() over (partition by provider_account_id order by min(due), (array_agg(id order by due, id))[1]) as turn
  from due group by provider_account_id, identity_hash window account as (partition by provider_account_id)
)
select (select accounts from share)::int as accounts, (select id from accounts order by id desc limit 1) as last_account,
  c.provider_account_id, identity_hash, bytes, turn::int, due::text, id, conversations::int, has_more
from (select) as always left join (select * from conversations order by turn, due limit $6) as c on true order by turn, due`;

interface Row extends Omit<WaitingCandidate, 'provider_account_id'> {
  accounts: number;
  last_account: string | null;
  /** Null in the only row of a look that found nothing. */
  provider_account_id: string | null;
  due: string;
  id: string;
  /** Of its account, in this look; and whether it has facts behind those that were read. */
  conversations: number;
  has_more: boolean;
}

/** Behind which of an account's facts the next look begins. */
interface Cursor {
  due: string;
  id: string;
}

/** Goes through what waits in a lane, look by look; behind the last it begins again. */
export class Candidates {
  private readonly cursors = new Map<string, Cursor>();
  /** Of the last look; null: it reached the last account. */
  private lastAccount: string | null = null;

  constructor(
    private readonly database: Pick<Database, 'once'>,
    private readonly lane: Lane,
    private readonly limit: number,
  ) {}

  /** There is more behind what was found. */
  get hasMore(): boolean {
    return this.lastAccount !== null || this.cursors.size > 0;
  }

  /** The next conversations, of each account in turn, the longest waiting first; empty when nothing waits. */
  async look(): Promise<WaitingCandidate[]> {
    let isFromStart = !this.hasMore;
    for (;;) {
      const found = await this.lookOnce();
      if (found.length > 0) return found;
      if (this.lastAccount !== null) continue;
      if (isFromStart) return [];
      // Whatever was passed over (another worker had it, it came late) lies before.
      isFromStart = true;
    }
  }

  /**
   * Somebody else is at the same place: goes on at a place by chance, so that two do not follow each other. All begin with what
   * has waited longest, for there may be one worker alone; to meet there costs one turn.
   */
  scatter(now = Date.now(), chance = Math.random()): void {
    for (const [account, { due }] of this.cursors) {
      const from = Date.parse(due);
      if (!(from < now)) continue;
      this.cursors.set(account, { due: new Date(from + (now - from) * chance).toISOString(), id: NIL });
    }
  }

  private async lookOnce(): Promise<WaitingCandidate[]> {
    const cursors = [...this.cursors];
    const values = [
      ...[this.lane, this.lastAccount ?? NIL],
      ...[cursors.map(([account]) => account), cursors.map(([, { due }]) => due), cursors.map(([, { id }]) => id)],
      this.limit,
    ];
    const rows = await this.database.once<Row>('all', { name: 'candidates', text: LOOK, values });
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
    // Accounts that were asked and have nothing behind their cursor begin again.
    for (const account of this.cursors.keys()) {
      const wasAsked = (after === null || account > after) && (to === null || account <= to);
      if (wasAsked && !taken.has(account)) this.cursors.delete(account);
    }
    for (const [account, rows] of taken) {
      const last = rows.at(-1);
      if (last === undefined) continue;
      if (last.has_more || last.conversations > rows.length) this.cursors.set(account, { due: last.due, id: last.id });
      else this.cursors.delete(account);
    }
  }
}
