// Commands for an account, written in the transaction that changes the account and carried out by a worker.
import type { Transaction } from '../database/with-scope.js';

const SYNC = 'insert into account_commands (provider_account_id) values ($1)';
const REARM = 'insert into account_commands (provider_account_id, rearms) values ($1, true)';

/** Brings Temporal in line with the account's rows in Postgres (account-sync.ts). */
export const requestSync = (tx: Transaction, accountId: string): Promise<unknown> =>
  tx.query({ text: SYNC, values: [accountId] });

/** Makes the account's live conversations reset their timers (rearm-conversations.ts). */
export const requestRearm = (tx: Transaction, accountId: string): Promise<unknown> =>
  tx.query({ text: REARM, values: [accountId] });
