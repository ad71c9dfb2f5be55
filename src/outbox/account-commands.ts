// What a worker must do for an account, written in the transaction that changed the account.
import type { Transaction } from '../database/with-scope.js';

const SYNC = 'insert into account_commands (provider_account_id) values ($1)';
const REARM = 'insert into account_commands (provider_account_id, rearms) values ($1, true)';

/** Temporal is made what Postgres says of the account (account-sync.ts). */
export const requestSync = (tx: Transaction, accountId: string): Promise<unknown> =>
  tx.query({ text: SYNC, values: [accountId] });

/** The account's live conversations reset their timers (rearm-conversations.ts). */
export const requestRearm = (tx: Transaction, accountId: string): Promise<unknown> =>
  tx.query({ text: REARM, values: [accountId] });
