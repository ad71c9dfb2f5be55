// Reads what Postgres stores of a conversation and decrypts it with its own keys, so that tests check the real record.
import type { Pool } from 'pg';
import type { Header } from '../../src/reducer/record.js';
import { purposeOf } from '../../src/record-store/seal-purposes.js';
import type { Json, Turn } from '../../src/providers/provider-fact.js';
import { openJson } from '../../src/vault/sealing/sealing.js';
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
}

export interface StoredEntry {
  action: string;
  reason: string | null;
  changes: string[];
  actor_type: string;
  workflow_id: string | null;
}

const SEALED = {
  state: ['conversation_states', 'state', 'record'],
  record: ['provider_records', 'provider_record', 'record'],
  transcript: ['transcripts', 'transcript', 'transcript'],
} as const;

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

  async header({ id, header, revision }: StoredConversation): Promise<Header> {
    const keys = await this.vault.existingConversationKeys(id, ['record']);
    return openJson(keys.get('record'), purposeOf('header', revision), header) as Header;
  }

  turns(id: string): Promise<Turn[]> {
    return this.sealed(id, 'transcript') as Promise<Turn[]>;
  }

  providerRecord(id: string): Promise<{ [key: string]: Json }> {
    return this.sealed(id, 'record') as Promise<{ [key: string]: Json }>;
  }

  /** Everything that is stored of it, decrypted, as one text to search in. */
  async everything(conversation: StoredConversation): Promise<string> {
    const { id } = conversation;
    const opened = await Promise.all(
      (['state', 'record', 'transcript'] as const).map((what) => this.sealed(id, what).catch(() => null)),
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

  private async sealed(id: string, what: keyof typeof SEALED): Promise<unknown> {
    const [table, kind, keyClass] = SEALED[what];
    const { rows } = await this.sql.query<{ sealed: Buffer; revision: number }>(
      `select revision, sealed from ${table} where conversation_id = $1`,
      [id],
    );
    if (rows[0] === undefined) throw new Error(`nothing in ${table}`);
    const keys = await this.vault.existingConversationKeys(id, [keyClass]);
    return openJson(keys.get(keyClass), purposeOf(kind, rows[0].revision), rows[0].sealed);
  }
}
