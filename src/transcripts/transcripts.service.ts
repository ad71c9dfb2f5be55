// Transcripts: one sealed block each, journaled before it is opened.
import { Injectable } from '@nestjs/common';
import type { Caller } from '../access/caller.js';
import { AppError } from '../common/errors.js';
import { publicId } from '../common/ids.js';
import { findConversation, refuseRestricted, type ConversationRow } from '../conversations/conversation-row.js';
import { ApiDatabase } from '../database/database.js';
import { PURPOSE } from '../intake/read-model.js';
import { ContentReads } from '../journal/content-reads.js';
import type { Turn } from '../providers/provider-fact.js';
import { openJson } from '../vault/sealing.js';
import { VaultService } from '../vault/vault.service.js';

export interface Transcript {
  conversation_id: string;
  revision: number;
  /** False while the conversation may still grow. */
  final: boolean;
  language: string | null;
  turns: Turn[];
}

/** A transcript that was found and not opened yet. */
export interface FoundTranscript {
  conversation: ConversationRow;
  /** Null: live and nobody has spoken, or not yet delivered. */
  sealed: Buffer | null;
  revision: number;
  final: boolean;
}

interface Block {
  revision: number;
  sealed: Buffer;
}

const FIND = 'select revision, sealed from transcripts where conversation_id = $1 and client_id = $2';

@Injectable()
export class TranscriptsService {
  constructor(
    private readonly database: ApiDatabase,
    private readonly vault: VaultService,
    private readonly reads: ContentReads,
  ) {}

  /** The transcript, or what there is of it. Throws `not_found`, `erased`, `restricted`, `transcript_absent`. */
  async find(caller: Caller, id: string): Promise<FoundTranscript> {
    const { conversation, block } = await this.database.withScope(caller.clients, async (tx) => {
      const found = await findConversation(tx, caller, id);
      const [stored] = await tx.query<Block>({ name: 'transcript_block', text: FIND, values: [id, found.client_id] });
      return { conversation: found, block: stored };
    });
    refuseRestricted(caller, conversation);
    const final = conversation.transcript_state !== 'pending';
    if (block !== undefined) return { conversation, ...block, final };
    if (final) throw absent(conversation.transcript_reason);
    return { conversation, sealed: null, revision: conversation.revision, final };
  }

  /** What was found, opened: a content read, journaled first. Nothing is read where there is nothing yet. */
  async open(caller: Caller, { conversation, sealed, revision, final }: FoundTranscript): Promise<Transcript> {
    const { id, language } = conversation;
    const head = { conversation_id: publicId('conversation', id), revision, final, language };
    if (sealed === null) return { ...head, turns: [] };
    await this.reads.record(caller, conversation, 'transcript');
    const key = await this.vault.existingConversationKey(id);
    return { ...head, turns: openJson(key, PURPOSE.transcript, sealed) as Turn[] };
  }
}

const absent = (reason: string | null): AppError =>
  new AppError('transcript_absent', `there is no transcript: ${reason ?? 'absent'}`, { members: { reason } });
