// Reports a stored recording that cannot be decrypted, because it was altered, cut or moved: to operators in the log, to
// auditors in the history.
import { Injectable } from '@nestjs/common';
import { publicId } from '../common/ids.js';
import { Log } from '../common/log.js';
import { ApiDatabase } from '../database/database.js';
import { appendJournal } from '../journal/append.js';
import { VaultError } from '../vault/errors.js';

interface Recording {
  id: string;
  conversation: { id: string; client_id: string };
}

/** Players retry such a recording again and again, so it gets one entry an hour. */
const LOCK = 'select pg_advisory_xact_lock(hashtextextended($1, 0))';
const RECENT = `
select 1 from journal where conversation_id = $1 and client_id = $2 and action = 'integrity.failed' and $3 = any(object_ids)
  and time > now() - interval '1 hour' limit 1`;

@Injectable()
export class RecordingIntegrity {
  constructor(
    private readonly database: ApiDatabase,
    private readonly log: Log,
  ) {}

  /** Reports a failed read, if the recording is the reason. Never rejects: the caller already handles the failed read. */
  async report(failure: unknown, recording: Recording): Promise<void> {
    if (!(failure instanceof VaultError) || failure.reason !== 'open_failed') return;
    const fields = {
      conversation_id: publicId('conversation', recording.conversation.id),
      recording_id: publicId('recording', recording.id),
    };
    this.log.error('a stored recording does not open', fields, failure);
    await this.journal(recording).catch((error: unknown) =>
      this.log.error('a recording that does not open could not be journaled', fields, error),
    );
  }

  private async journal({ id, conversation }: Recording): Promise<void> {
    await this.database.withScope([conversation.client_id], async (tx) => {
      const [, recent] = await Promise.all([
        tx.query({ text: LOCK, values: [`integrity ${id}`] }),
        tx.query({ text: RECENT, values: [conversation.id, conversation.client_id, id] }),
      ]);
      if (recent.length > 0) return;
      await appendJournal(tx, [
        {
          clientId: conversation.client_id,
          conversationId: conversation.id,
          objectIds: [id],
          action: 'integrity.failed',
          reason: 'open_failed',
          actor: { type: 'system', id: 'recordings' },
        },
      ]);
    });
  }
}
