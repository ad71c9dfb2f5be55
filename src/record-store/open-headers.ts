// Reads and opens the `record` part of many headers at once, for background work outside of requests.
import type { Database } from '../database/database.js';
import type { Header } from '../reducer/record.js';
import { AppError } from '../common/errors.js';
import { KeyDestroyed } from '../vault/errors.js';
import type { ConversationKeys, KeyClass } from '../vault/conversation-keys.js';
import type { VaultService } from '../vault/vault.service.js';
import { openHeader } from './open-header.js';

export interface OpenedHeader {
  conversationId: string;
  clientId: string;
  revision: number;
  startTime: Date;
  /** Without fields of other classes. */
  header: Header;
}

/** `gone`: erased or being erased; `failed`: it could not be opened. */
export type HeaderResult =
  | { is: 'open'; opened: OpenedHeader }
  | { is: 'gone'; conversationId: string }
  | { is: 'failed'; conversationId: string; error: unknown };

interface HeaderRow {
  id: string;
  client_id: string;
  state: string;
  revision: number;
  start_time: Date;
  header: Buffer;
}

const READ = `
select c.id, c.client_id, i.state, c.revision, c.start_time, c.header
from conversations c join conversation_identities i on i.id = c.id where c.id = any($1::uuid[])`;

/** Keys that a header needs. */
const CLASSES: KeyClass[] = ['record'];

/**
 * The current headers of these conversations, one result per id. Throws `storage_unavailable` and `keystore_unavailable`.
 */
export async function openHeaders(
  database: Database,
  vault: VaultService,
  ids: readonly string[],
): Promise<HeaderResult[]> {
  const rows = await database.once<HeaderRow>('all', { name: 'headers', text: READ, values: [ids] });
  const byId = new Map(rows.map((row) => [row.id, row]));
  const keys = await vault.existingKeysOf(
    rows.filter(isLive).map(({ id }) => id),
    CLASSES,
  );
  return Promise.all(
    ids.map(async (conversationId): Promise<HeaderResult> => {
      const row = byId.get(conversationId);
      if (row === undefined) return { is: 'failed', conversationId, error: new Error('no such conversation') };
      if (!isLive(row)) return { is: 'gone', conversationId };
      try {
        const own = keys.get(conversationId) ?? (await vault.existingConversationKeys(conversationId, CLASSES));
        return { is: 'open', opened: openedOf(row, own) };
      } catch (error) {
        if (error instanceof KeyDestroyed) return { is: 'gone', conversationId };
        if (error instanceof AppError && error.code === 'keystore_unavailable') throw error;
        return { is: 'failed', conversationId, error };
      }
    }),
  );
}

const isLive = ({ state }: HeaderRow): boolean => state === 'live';

const openedOf = (
  { id, client_id, revision, start_time, header }: HeaderRow,
  keys: ConversationKeys,
): OpenedHeader => ({
  conversationId: id,
  clientId: client_id,
  revision,
  startTime: start_time,
  header: openHeader({ revision, header, transcript_header: null, analysis_header: null }, keys),
});
