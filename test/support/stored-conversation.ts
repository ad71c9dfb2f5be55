// Reads what Postgres stores of a conversation and decrypts it with its own keys, so that tests check the real record.
import type { Pool } from 'pg';
import { DATA_CLASSES, type ByClass } from '../../src/common/data-class.js';
import { joinDocument } from '../../src/providers/document-parts.js';
import type { Json, Turn } from '../../src/providers/provider-fact.js';
import { headerClasses, openHeader } from '../../src/record-store/open-header.js';
import { openParts, type SealedParts } from '../../src/record-store/sealed-parts.js';
import type { Header } from '../../src/reducer/record.js';
import type { VaultService } from '../../src/vault/vault.service.js';

/** Plain columns, named as in the table. */
export interface StoredConversation {
  id: string;
  agent_id: string | null;
  agent_version: string | null;
  status: string;
  record_state: string;
  channel: string;
  direction: string | null;
  start_time: Date;
  end_time: Date | null;
  end_category: string | null;
  end_party: string | null;
  turn_count: number;
  transcript_state: string;
  transcript_reason: string | null;
  audio_state: string;
  audio_reason: string | null;
  analysis_state: string;
  analysis_reason: string | null;
  last_fact_at: Date;
  revision: number;
  unfetched: boolean;
  holder: string;
  header: Buffer;
  transcript_header: Buffer | null;
  analysis_header: Buffer | null;
}

export interface StoredEntry {
  action: string;
  reason: string | null;
  changes: string[];
  actor_type: string;
  workflow_id: string | null;
}

export class ConversationStore {
  constructor(
    private readonly sql: Pool,
    private readonly vault: VaultService,
  ) {}

  async all(): Promise<StoredConversation[]> {
    return (await this.sql.query<StoredConversation>('select * from conversations order by created_at, id')).rows;
  }

  async byIdentity(hash: Buffer): Promise<StoredConversation | undefined> {
    const text = `select c.* from conversations c join conversation_identities i on i.id = c.id where i.identity_hash = $1`;
    return (await this.sql.query<StoredConversation>(text, [hash])).rows[0];
  }

  async header(conversation: StoredConversation): Promise<Header> {
    const keys = await this.vault.existingConversationKeys(conversation.id, headerClasses([conversation]));
    return openHeader(conversation, keys);
  }

  async turns(id: string): Promise<Turn[]> {
    const [row] = await this.rows<{ revision: number; sealed: Buffer }>('transcripts', id);
    if (row === undefined) throw new Error('there is no transcript');
    const keys = await this.vault.existingConversationKeys(id, ['transcript']);
    const { revision, sealed: transcript } = row;
    return openParts(keys, { kind: 'transcript', revision }, { transcript }).transcript as Turn[];
  }

  /** The provider's document, made whole again. */
  async providerRecord(id: string): Promise<{ [key: string]: Json }> {
    const parts = await this.parts('provider_records', id);
    return joinDocument(parts as ByClass<Json>) as { [key: string]: Json };
  }

  /** A document in parts, opened. */
  async parts(table: 'conversation_states' | 'provider_records', id: string): Promise<ByClass<unknown>> {
    const [row] = await this.rows<SealedParts & { revision: number }>(table, id);
    if (row === undefined) throw new Error(`nothing in ${table}`);
    const { revision, record, transcript, audio, analysis } = row;
    const keys = await this.vault.existingConversationKeys(id, DATA_CLASSES);
    const kind = table === 'provider_records' ? 'provider_record' : 'state';
    return openParts(keys, { kind, revision }, { record, transcript, audio, analysis });
  }

  /** Everything that is stored of it, decrypted, as one text to search in. */
  async everything(conversation: StoredConversation): Promise<string> {
    const { id } = conversation;
    const opened = await Promise.all(
      [this.parts('conversation_states', id), this.parts('provider_records', id), this.turns(id)].map((opening) =>
        opening.catch(() => null),
      ),
    );
    return JSON.stringify([conversation, await this.header(conversation), ...opened]);
  }

  async journal(id: string): Promise<StoredEntry[]> {
    const text = 'select * from journal where conversation_id = $1 order by position';
    return (await this.sql.query<StoredEntry>(text, [id])).rows;
  }

  async recordings(id: string): Promise<{ variant: string; bytes: string; object_key: string }[]> {
    const text = 'select variant, bytes, object_key from recordings where conversation_id = $1 order by variant';
    return (await this.sql.query<{ variant: string; bytes: string; object_key: string }>(text, [id])).rows;
  }

  private async rows<Row extends object>(table: string, id: string): Promise<Row[]> {
    return (await this.sql.query<Row>(`select * from ${table} where conversation_id = $1`, [id])).rows;
  }
}
