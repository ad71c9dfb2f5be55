// The row of an account's circuit, as the API reads and changes it. All processes share it, and write it only when it changes.
import type { Transaction } from '../../database/with-scope.js';

const READ = `
select provider_account_id as id from provider_circuits where provider_account_id = any($1::uuid[]) and state = 'open'`;
const TRY_NOW = `
update provider_circuits set retry_at = now() where provider_account_id = $1 and state = 'open' and retry_at > now()`;

/** The accounts whose circuit is open. */
export async function readOpenCircuits(tx: Transaction, accountIds: readonly string[]): Promise<Set<string>> {
  const rows = await tx.query<{ id: string }>({ text: READ, values: [accountIds] });
  return new Set(rows.map(({ id }) => id));
}

/** Lets the next request try an open circuit, because credentials or address have changed. */
export async function tryCircuitNow(tx: Transaction, accountId: string): Promise<void> {
  await tx.query({ text: TRY_NOW, values: [accountId] });
}
