// Serves recordings to callers: finds them, journals the read, decrypts ranges.
import { Injectable } from '@nestjs/common';
import type { Readable } from 'node:stream';
import type { Caller } from '../access/caller.js';
import { AppError } from '../common/errors.js';
import {
  requireVisible,
  conversationStatement,
  refuseRestricted,
  type ConversationRow,
} from '../conversations/conversation-row.js';
import { ApiDatabase } from '../database/database.js';
import { BatchedLookup } from '../database/batched-lookup.js';
import { ContentReads } from '../journal/content-reads.js';
import { VaultService } from '../vault/vault.service.js';
import { RecordingIntegrity } from './recording-integrity.js';
import { versionOf } from './recording-object.js';
import { RecordingStore } from './recording-store.js';

type ConversationColumns = Pick<ConversationRow, 'id' | 'client_id' | 'restricted' | 'audio_state' | 'audio_reason'>;

export interface FoundRecording {
  conversation: ConversationColumns;
  id: string;
  contentType: string;
  bytes: number;
  /** Version of its object; see {@link versionOf}. */
  version: string | null;
  /** Changes when the recording is stored again. */
  etag: string;
}

/** One row per recording; a conversation without any has one row of nulls. */
interface Row extends ConversationColumns {
  recording_id: string | null;
  variant: string;
  content_type: string;
  bytes: string;
  object_key: string;
  created_at: Date;
}

const FIND = conversationStatement(
  `c.id, c.client_id, c.restricted, c.audio_state, c.audio_reason,
  r.id as recording_id, r.variant, r.content_type, r.bytes, r.object_key, r.created_at`,
  'left join recordings r on r.conversation_id = i.id and r.client_id = i.client_id',
);
const RETRY_AFTER_S = 10;
/** Ranges up to this size, as players request when seeking, are sent without a stream. */
const SHORT_BYTES = 262_144;

@Injectable()
export class RecordingsService {
  private readonly rows: BatchedLookup<Row>;

  constructor(
    database: ApiDatabase,
    private readonly vault: VaultService,
    private readonly reads: ContentReads,
    private readonly store: RecordingStore,
    private readonly integrity: RecordingIntegrity,
  ) {
    this.rows = new BatchedLookup(database, { name: 'recordings', text: FIND });
  }

  /**
   * The recording of `variant`; if undefined, `mixed`, else any there is.
   * Throws `not_found`, `erased`, `restricted`, `audio_pending`, `audio_absent`.
   */
  async find(caller: Caller, id: string, variant: string | undefined): Promise<FoundRecording> {
    const found = await this.rows.find(caller.clients, id);
    const conversation = requireVisible(found);
    refuseRestricted(caller, conversation);
    const rows = found.filter(({ recording_id }) => recording_id !== null);
    const row =
      variant === undefined
        ? (rows.find((one) => one.variant === 'mixed') ?? rows[0])
        : rows.find((one) => one.variant === variant);
    if (row === undefined || row.recording_id === null) throw missing(conversation, rows.length > 0);
    const etag = `"${row.recording_id}-${row.created_at.getTime().toString(36)}"`;
    return {
      conversation,
      id: row.recording_id,
      contentType: row.content_type,
      bytes: Number(row.bytes),
      version: versionOf(row.object_key),
      etag,
    };
  }

  /**
   * Bytes `start` to `end` inclusive, after journaling the read; short ranges as a buffer, longer ones as a stream. Throws
   * `audio_absent` if their key was destroyed.
   */
  async read(caller: Caller, recording: FoundRecording, start: number, end: number): Promise<Readable | Buffer> {
    const { conversation, id, bytes, version } = recording;
    const [keys] = await Promise.all([
      this.vault.existingConversationKeys(conversation.id, ['audio']),
      this.reads.record(caller, conversation, 'audio'),
    ]);
    const key = keys.find('audio');
    if (key === null) throw absent('erased');
    const stored = { id, clientId: conversation.client_id, conversationId: conversation.id, bytes, version };
    try {
      if (end - start < SHORT_BYTES) return await this.store.readBytes(stored, key, start, end);
      const content = await this.store.read(stored, key, start, end);
      // Once the first bytes are sent, a failure can only cut the connection.
      return content.once('error', (error) => void this.integrity.report(error, recording));
    } catch (error) {
      await this.integrity.report(error, recording);
      throw error;
    }
  }
}

function missing({ audio_state, audio_reason }: ConversationColumns, hasOthers: boolean): AppError {
  if (audio_state === 'pending') {
    return new AppError('audio_pending', 'the recording is not available yet', {
      headers: { 'retry-after': String(RETRY_AFTER_S) },
    });
  }
  const reason = hasOthers ? 'no_such_variant' : audio_reason;
  return absent(reason);
}

const absent = (reason: string | null): AppError =>
  new AppError('audio_absent', `there is no recording: ${reason ?? 'absent'}`, { members: { reason } });
