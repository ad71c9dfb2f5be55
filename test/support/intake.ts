// What waits in the inbox, applied without a worker: no Temporal, no loops, one round.
import { Log } from '../../src/common/log.js';
import { createDataSource } from '../../src/database/data-source.js';
import { WorkerDatabase } from '../../src/database/database.js';
import { Notifier } from '../../src/database/notifier.js';
import { Intake } from '../../src/intake/intake.js';
import { ProviderAccounts } from '../../src/providers/provider-accounts.js';
import type { VaultService } from '../../src/vault/vault.service.js';

/** One round of the real intake; resolves with how many facts it applied. */
export async function applyWaiting(databaseUrl: string, vault: VaultService): Promise<number> {
  const source = createDataSource({ url: databaseUrl, role: 'colloquy_worker', poolSize: 2 });
  const database = new WorkerDatabase(await source.initialize());
  try {
    const accounts = new ProviderAccounts(database, vault);
    const storeAudio = () => Promise.reject(new Error('no webhook of this test holds audio'));
    const [notifier, log] = [new Notifier(database), new Log('silent')];
    return await new Intake({ database, vault, accounts, notifier, log, storeAudio }).round();
  } finally {
    await database.close();
  }
}
