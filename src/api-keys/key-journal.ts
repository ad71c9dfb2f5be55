// Writes changes of keys to the journal of the system client.
import type { Transaction } from '../database/with-scope.js';
import { appendJournal } from '../journal/append.js';
import { SYSTEM_CLIENT } from '../vault/vault.service.js';
import { actorOf, type Caller } from '../access/caller.js';

export type KeyAction =
  'api_key.created' | 'api_key.updated' | 'api_key.rotated' | 'api_key.revoked' | 'api_key.approved';

export const journalKey = (
  tx: Transaction,
  caller: Caller,
  { action, id, changes = [] }: { action: KeyAction; id: string; changes?: string[] },
): Promise<void> =>
  appendJournal(tx, [{ clientId: SYSTEM_CLIENT, action, objectIds: [id], actor: actorOf(caller), changes }]);
