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

interface Block {
  revision: number;
  final: boolean;
  sealed: Buffer;
}

const FIND = 'select revision, final, sealed from transcripts where conversation_id = $1 and client_id = $2';

@Injectable()
export class TranscriptsService {
  constructor(
    private readonly database: ApiDatabase,
    private readonly vault: VaultService,
    private readonly reads: ContentReads,
  ) {}

  /** The transcript, or what there is of it. Throws `not_found`, `erased`, `restricted`, `transcript_absent`. */
  async get(caller: Caller, id: string): Promise<Transcript> {
    const { row, block } = await this.database.withScope(caller.clients, async (tx) => {
      const found = await findConversation(tx, caller, id);
      const [stored] = await tx.query<Block>({ name: 'transcript_block', text: FIND, values: [id, found.client_id] });
      return { row: found, block: stored };
    });
    refuseRestricted(caller, row);
    if (block === undefined) return nothingYet(row);
    await this.reads.record(caller, row, 'transcript');
    const turns = openJson(await this.vault.existingConversationKey(id), PURPOSE.transcript, block.sealed) as Turn[];
    return { ...head(row), revision: block.revision, final: block.final, turns };
  }
}

const head = ({ id, language }: ConversationRow) => ({ conversation_id: publicId('conversation', id), language });

/** Live and nobody has spoken, or not yet delivered: an empty one that is not final. */
function nothingYet(row: ConversationRow): Transcript {
  if (row.transcript_state === 'pending') return { ...head(row), revision: row.revision, final: false, turns: [] };
  const reason = row.transcript_reason;
  throw new AppError('transcript_absent', `there is no transcript: ${reason ?? 'absent'}`, { members: { reason } });
}
