// Re-seals parked facts with the key of the account's client. They stay until an operator retries them, but their day key is
// destroyed after a week like every other.
import type { WorkerDatabase } from '../database/database.js';
import { open, seal } from '../vault/sealing/sealing.js';
import { KeyDestroyed, VaultError } from '../vault/errors.js';
import type { VaultService } from '../vault/vault.service.js';
import { factPurpose } from './inbox-fact.js';

const BATCH = 100;

const NEXT = `
select f.id, f.provider_account_id, a.client_id, to_char(f.key_day, 'YYYY-MM-DD') as key_day, f.sealed
from inbox f join provider_accounts a on a.id = f.provider_account_id
where f.state = 'parked' and f.key_day is not null and f.id > $1 order by f.id limit ${BATCH}`;
const SAVE = `
update inbox set sealed = $2, key_day = null where id = $1 and state = 'parked' and key_day is not null returning 1`;

interface Row {
  id: string;
  provider_account_id: string;
  client_id: string;
  key_day: string;
  sealed: Buffer;
}

/** Re-seals every parked fact that is still sealed with a day key; returns how many. Those that cannot be opened stay as they are. */
export async function resealParked(database: WorkerDatabase, vault: VaultService): Promise<number> {
  let resealed = 0;
  let after = '00000000-0000-0000-0000-000000000000';
  for (;;) {
    const rows = await database.withScope('all', (tx) => tx.query<Row>({ text: NEXT, values: [after] }));
    for (const row of rows) if (await reseal(database, vault, row)) resealed += 1;
    const last = rows.at(-1);
    if (last === undefined || rows.length < BATCH) return resealed;
    after = last.id;
  }
}

async function reseal(database: WorkerDatabase, vault: VaultService, row: Row): Promise<boolean> {
  const { id, provider_account_id: providerAccountId, client_id: clientId, key_day: day } = row;
  const clientKey = await vault.clientKey(clientId);
  let sealed: Buffer;
  try {
    const dayKey = await vault.inboxKey({ providerAccountId, clientId, day });
    sealed = seal(clientKey, factPurpose(id), open(dayKey, factPurpose(id), row.sealed));
  } catch (error) {
    // Altered bytes or a destroyed key: they can never be opened, so they need not keep the day key alive.
    const isUnopenable =
      error instanceof KeyDestroyed || (error instanceof VaultError && error.reason === 'open_failed');
    if (!isUnopenable) throw error;
    ({ sealed } = row);
  }
  const saved = await database.withScope('all', (tx) => tx.query({ text: SAVE, values: [id, sealed] }));
  return saved.length > 0;
}
