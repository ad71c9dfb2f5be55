// The history of a conversation: all changes and content reads.
import { Injectable } from '@nestjs/common';
import type { Caller } from '../access/caller.js';
import { list, type List } from '../http/api-response.js';
import { Cursors, fingerprintOf } from '../http/cursor.js';
import { publicId } from '../common/ids.js';
import { findConversation } from './conversation-row.js';
import { ApiDatabase } from '../database/database.js';
import type { JournalEntryEntity } from '../database/entities/journal-entry.entity.js';
import type { Statement, Transaction } from '../database/with-scope.js';

export interface HistoryEntry {
  id: string;
  time: string;
  action: string;
  actor: { type: string; id: string | null };
  purpose: string | null;
  reason: string | null;
  workflow_id: string | null;
  changes: string[];
  revision: number | null;
}

// The entries of the conversation, and those of list pages that included it, each by an index that is in order.
const HISTORY = `
select * from (
  (select * from journal where conversation_id = $1 and client_id = $2 and position > $3 order by position limit $4)
  union all
  (select entry.* from (select position from journal_listed where conversation_id = $1 and client_id = $2 and position > $3
      order by position limit $4) as listed
    cross join lateral (select * from journal where journal.position = listed.position and client_id = $2 offset 0) as entry)
) as entries order by position limit $4`;

/** The entries of a client's conversation (uuids) after a position, the oldest first, `limit` at most. */
export const historyStatement = (id: string, clientId: string, after: unknown, limit: number): Statement => ({
  name: 'history',
  text: HISTORY,
  values: [id, clientId, after, limit],
});

@Injectable()
export class HistoryService {
  constructor(
    private readonly database: ApiDatabase,
    private readonly cursors: Cursors,
  ) {}

  /** Oldest first. Throws `not_found`, `erased`, `invalid_cursor`, `cursor_mismatch`. */
  async list(
    caller: Caller,
    id: string,
    { limit, cursor }: { limit: number; cursor: string | undefined },
  ): Promise<List<HistoryEntry>> {
    const fingerprint = fingerprintOf({ list: 'history', id });
    const [after = 0] = cursor === undefined ? [] : await this.cursors.decode(cursor, fingerprint);
    const rows = await this.database.withScope(caller.clients, async (tx) =>
      this.find(tx, caller, { id, after, limit: limit + 1 }),
    );
    const page = rows.slice(0, limit);
    const last = rows.length > limit ? page.at(-1) : undefined;
    return list(
      page.map(entryView),
      last === undefined ? null : await this.cursors.encode([last.position], fingerprint),
    );
  }

  private async find(
    tx: Transaction,
    caller: Caller,
    page: { id: string; after: unknown; limit: number },
  ): Promise<JournalEntryEntity[]> {
    const { client_id: clientId } = await findConversation(tx, caller, page.id);
    return tx.query<JournalEntryEntity>(historyStatement(page.id, clientId, page.after, page.limit));
  }
}

const entryView = ({ id, time, actor_type, actor_id, ...rest }: JournalEntryEntity): HistoryEntry => ({
  id: publicId('journalEntry', id),
  time: time.toISOString(),
  action: rest.action,
  actor: { type: actor_type, id: actor_id },
  purpose: rest.purpose,
  reason: rest.reason,
  workflow_id: rest.workflow_id,
  changes: rest.changes,
  revision: rest.revision,
});
