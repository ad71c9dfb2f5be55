// Serves transcripts: one sealed block per conversation, decrypted only after the read is journaled.
import { Injectable } from '@nestjs/common';
import type { Caller } from '../access/caller.js';
import { AppError } from '../common/errors.js';
import { publicId } from '../common/ids.js';
import {
  requireVisible,
  conversationStatement,
  refuseRestricted,
  type ConversationRow,
} from '../conversations/conversation-row.js';
import { ApiDatabase } from '../database/database.js';
import { BatchedLookup } from '../database/batched-lookup.js';
import { purposeOf } from '../record-store/seal-purposes.js';
import { ContentReads } from '../journal/content-reads.js';
import type { Turn } from '../providers/provider-fact.js';
import { open } from '../vault/sealing/sealing.js';
import { VaultService } from '../vault/vault.service.js';

export interface Transcript {
  conversation_id: string;
  revision: number;
  /** False while it may still grow, and if only the live transcript ever arrived. */
  final: boolean;
  language: string | null;
  turns: Turn[];
}

type ConversationColumns = Pick<
  ConversationRow,
  'id' | 'client_id' | 'restricted' | 'language' | 'transcript_state' | 'transcript_reason'
>;

/** A transcript that was found but not decrypted yet. */
export interface FoundTranscript {
  conversation: ConversationColumns;
  /** Null: nobody has spoken yet, or the transcript has not been delivered yet. */
  sealed: Buffer | null;
  revision: number;
  final: boolean;
}

interface Row extends ConversationColumns {
  revision: number;
  /** Revision of the block; null if there is none. */
  block_revision: number | null;
  sealed: Buffer | null;
}

const FIND = conversationStatement(
  `c.id, c.client_id, c.restricted, c.language, c.transcript_state, c.transcript_reason,
  t.revision as block_revision, t.sealed`,
  'left join transcripts t on t.conversation_id = i.id and t.client_id = i.client_id',
);

const NO_TURNS = Buffer.from('[]');
const END = Buffer.from('}');

@Injectable()
export class TranscriptsService {
  private readonly rows: BatchedLookup<Row>;

  constructor(
    database: ApiDatabase,
    private readonly vault: VaultService,
    private readonly reads: ContentReads,
  ) {
    this.rows = new BatchedLookup(database, { name: 'transcripts', text: FIND });
  }

  /** Finds the transcript, final or live. Throws `not_found`, `erased`, `restricted`, `transcript_absent`. */
  async find(caller: Caller, id: string): Promise<FoundTranscript> {
    const row = requireVisible(await this.rows.find(caller.clients, id));
    refuseRestricted(caller, row);
    const { sealed, transcript_state: state } = row;
    // A live transcript is kept and served if the final one never arrived.
    if (sealed === null && state !== 'pending') throw absent(row.transcript_reason);
    return { conversation: row, sealed, revision: row.block_revision ?? row.revision, final: state === 'present' };
  }

  /**
   * Decrypts the transcript after journaling the read. If there is no transcript yet, nothing is read or journaled. Throws
   * `transcript_absent` if its key was destroyed.
   */
  async open(caller: Caller, found: FoundTranscript): Promise<Transcript> {
    const turns = await this.openTurns(caller, found);
    return { ...headOf(found), turns: turns === null ? [] : (JSON.parse(turns.toString('utf8')) as Turn[]) };
  }

  /** Like {@link open}, but as bytes of JSON: the sealed block is JSON already, which saves parsing and serialising it. */
  async openAsJson(caller: Caller, found: FoundTranscript): Promise<Buffer> {
    const turns = (await this.openTurns(caller, found)) ?? NO_TURNS;
    return Buffer.concat([Buffer.from(`${JSON.stringify(headOf(found)).slice(0, -1)},"turns":`), turns, END]);
  }

  /** The JSON of the turns; null if there are none yet. */
  private async openTurns(caller: Caller, { conversation, sealed, revision }: FoundTranscript): Promise<Buffer | null> {
    if (sealed === null) return null;
    // The key may be fetched in parallel, but nothing is decrypted before the journal entry is committed.
    const [keys] = await Promise.all([
      this.vault.existingConversationKeys(conversation.id, ['transcript']),
      this.reads.record(caller, conversation, 'transcript'),
    ]);
    const key = keys.find('transcript');
    if (key === null) throw absent('erased');
    return open(key, purposeOf('transcript', revision), sealed);
  }
}

const headOf = ({ conversation, revision, final }: FoundTranscript): Omit<Transcript, 'turns'> => ({
  conversation_id: publicId('conversation', conversation.id),
  revision,
  final,
  language: conversation.language,
});

const absent = (reason: string | null): AppError =>
  new AppError('transcript_absent', `there is no transcript: ${reason ?? 'absent'}`, { members: { reason } });
