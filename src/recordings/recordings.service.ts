// Recordings for callers: found, journaled, opened range by range.
import { Injectable } from '@nestjs/common';
import type { Readable } from 'node:stream';
import type { Caller } from '../access/caller.js';
import { AppError } from '../common/errors.js';
import { findConversation, refuseRestricted, type ConversationRow } from '../conversations/conversation-row.js';
import { ApiDatabase } from '../database/database.js';
import { ContentReads } from '../journal/content-reads.js';
import { VaultService } from '../vault/vault.service.js';
import { RecordingStore } from './recording-store.js';

export interface FoundRecording {
  conversation: ConversationRow;
  id: string;
  contentType: string;
  bytes: number;
  /** Changes when the recording is stored anew. */
  etag: string;
}

interface Row {
  id: string;
  variant: string;
  content_type: string;
  bytes: string;
  created_at: Date;
}

const FIND =
  'select id, variant, content_type, bytes, created_at from recordings where conversation_id = $1 and client_id = $2';
const RETRY_AFTER_S = 10;

@Injectable()
export class RecordingsService {
  constructor(
    private readonly database: ApiDatabase,
    private readonly vault: VaultService,
    private readonly reads: ContentReads,
    private readonly store: RecordingStore,
  ) {}

  /**
   * The recording of that variant; without one `mixed`, else the only one there is.
   * Throws `not_found`, `erased`, `restricted`, `audio_pending`, `audio_absent`.
   */
  async find(caller: Caller, id: string, variant: string | undefined): Promise<FoundRecording> {
    const { conversation, rows } = await this.database.withScope(caller.clients, async (tx) => {
      const found = await findConversation(tx, caller, id);
      return {
        conversation: found,
        rows: await tx.query<Row>({ name: 'recordings_of', text: FIND, values: [id, found.client_id] }),
      };
    });
    refuseRestricted(caller, conversation);
    const row =
      variant === undefined
        ? (rows.find((one) => one.variant === 'mixed') ?? rows[0])
        : rows.find((one) => one.variant === variant);
    if (row === undefined) throw missing(conversation, rows.length > 0);
    const etag = `"${row.id}-${row.created_at.getTime().toString(36)}"`;
    return { conversation, id: row.id, contentType: row.content_type, bytes: Number(row.bytes), etag };
  }

  /** Bytes `start` to `end` inclusive, journaled first. */
  async read(caller: Caller, recording: FoundRecording, start: number, end: number): Promise<Readable> {
    const { conversation, id, bytes } = recording;
    await this.reads.record(caller, conversation, 'audio');
    const key = await this.vault.existingConversationKey(conversation.id);
    return this.store.read(
      { id, clientId: conversation.client_id, conversationId: conversation.id, bytes },
      key,
      start,
      end,
    );
  }
}

function missing({ audio_state, audio_reason }: ConversationRow, hasOthers: boolean): AppError {
  if (audio_state === 'pending') {
    return new AppError('audio_pending', 'the recording is not here yet', {
      headers: { 'retry-after': String(RETRY_AFTER_S) },
    });
  }
  const reason = hasOthers ? 'no_such_variant' : audio_reason;
  return new AppError('audio_absent', `there is no recording: ${reason ?? 'absent'}`, { members: { reason } });
}
