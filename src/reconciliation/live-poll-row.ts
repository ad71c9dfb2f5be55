// The API's side of polling: starts and ends it in the transaction that changes the account, and reads its health.
import type { Transaction } from '../database/with-scope.js';

/** `health.live_poll` of a provider account: its last poll. */
export interface LivePollHealth {
  /** When it ended, RFC 3339; null: there was no poll yet. */
  last_at: string | null;
  /** How many conversations were live; null: the list could not be read. */
  live: number | null;
  /** What went wrong, as a code. */
  problem: string | null;
}

// clock_timestamp(), not now(): a poll that began meanwhile must see that this request is newer.
const REQUEST = `
insert into live_polls (provider_account_id, client_id) values ($1, $2)
on conflict on constraint live_polls_pkey do update set next_at = clock_timestamp(), failures = 0`;
// The row stays, with the lease of a running poll: if polling is switched on again, it waits for that one to end.
const END = `
update live_polls set next_at = null, failures = 0, last_at = null, live = null, problem = null
where provider_account_id = $1`;

/** The account is polled now, and from then on at its current interval. */
export const requestPoll = (
  tx: Transaction,
  { id, client_id: clientId }: { id: string; client_id: string },
): Promise<unknown> => tx.query({ text: REQUEST, values: [id, clientId] });

/** No further poll begins; a running one ends within seconds. */
export const endPoll = (tx: Transaction, accountId: string): Promise<unknown> =>
  tx.query({ text: END, values: [accountId] });

interface Row {
  provider_account_id: string;
  last_at: Date | null;
  live: number | null;
  problem: string | null;
}

const READ = `
select provider_account_id, last_at, live, problem from live_polls
where provider_account_id = any($1::uuid[]) and next_at is not null`;

/** The last poll by account. Accounts that are not polled are left out. */
export async function readLivePolls(
  tx: Transaction,
  accountIds: readonly string[],
): Promise<Map<string, LivePollHealth>> {
  const rows = await tx.query<Row>({ text: READ, values: [accountIds] });
  return new Map(
    rows.map(({ provider_account_id: id, last_at: at, live, problem }) => [
      id,
      { last_at: at?.toISOString() ?? null, live, problem },
    ]),
  );
}
