// The API's side of waking the live conversations of an account (account-rearms.ts).
import type { Transaction } from '../database/with-scope.js';

const REQUEST = 'insert into account_rearms (provider_account_id) values ($1)';

/** The account's live conversations reset their timers, in a worker; in the transaction that changed its settings. */
export const requestRearm = (tx: Transaction, accountId: string): Promise<unknown> =>
  tx.query({ text: REQUEST, values: [accountId] });
