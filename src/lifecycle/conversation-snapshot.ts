// A conversation's state, read from Postgres: what its workflow decides by, and what a request to the provider needs.
import { Injectable } from '@nestjs/common';
import { Batcher } from '../common/batcher.js';
import { WorkerDatabase } from '../database/database.js';
import { hasRecord, isConfirmed } from '../reducer/completeness.js';
import { membersOf, valueOf } from '../reducer/registers.js';
import { project } from '../reducer/project.js';
import { openState } from '../record-store/load-state.js';
import type { ConversationRecord } from '../reducer/record.js';
import type { StateAtRevision } from '../reducer/conversation-state.js';
import type { ConversationState } from '../reducer/conversation-state.js';
import { ProviderAccounts, type ProviderAccount } from '../providers/provider-accounts.js';
import type { RecordingVariant } from '../providers/provider-fact.js';
import { VaultService } from '../vault/vault.service.js';

export interface ConversationSnapshot {
  conversationId: string;
  clientId: string;
  identityHash: Buffer;
  account: ProviderAccount;
  record: ConversationRecord;
  revision: number;
  providerId: string;
  providerKind: string;
  /** Locations of the provider's recordings by variant; only the provider's own code interprets them. */
  sources: Partial<Record<RecordingVariant, string>>;
  /** The provider's own record has been read after the end, or is declared unavailable. */
  isConfirmed: boolean;
  /** The provider's own record has been read after the end. */
  hasRecord: boolean;
  /** Epoch milliseconds of the first receipt of the end; null while live. */
  endSeenAt: number | null;
}

interface Row {
  id: string;
  client_id: string;
  provider_account_id: string;
  identity_hash: Buffer;
  revision: number;
  state_revision: number;
  record: Buffer;
  transcript: Buffer | null;
  audio: Buffer | null;
}

const READ = `
select i.id, i.client_id, i.provider_account_id, i.identity_hash, c.revision, s.revision as state_revision,
  s.record, s.transcript, s.audio
from conversation_identities i
join conversations c on c.id = i.id
join conversation_states s on s.conversation_id = i.id
where i.id = any($1::uuid[]) and i.state = 'live'`;

@Injectable()
export class SnapshotReader {
  private readonly rows: Batcher<string, Row | null>;

  constructor(
    private readonly database: WorkerDatabase,
    private readonly vault: VaultService,
    private readonly accounts: ProviderAccounts,
  ) {
    this.rows = new Batcher((ids) => this.find(ids), { maxItems: 32, concurrency: 4 });
  }

  /** Null if there is no live row: unknown or erased. Concurrent reads share a query. */
  async read(conversationId: string): Promise<ConversationSnapshot | null> {
    const row = await this.rows.add(conversationId);
    return row === null ? null : this.opened(row);
  }

  private async find(ids: string[]): Promise<(Row | null)[]> {
    const rows = await this.database.once<Row>('all', { name: 'snapshots', text: READ, values: [ids] });
    const byId = new Map(rows.map((row) => [row.id, row]));
    return ids.map((id) => byId.get(id) ?? null);
  }

  private async opened(row: Row): Promise<ConversationSnapshot | null> {
    const account = await this.accounts.find(row.provider_account_id);
    if (account === null) return null;
    const keys = await this.vault.existingConversationKeys(row.id, ['record', 'transcript', 'audio']);
    const opened = openState({ ...row, analysis: null }, keys);
    if (opened === null) return null;
    return {
      ...snapshotOf(opened.state, account),
      conversationId: row.id,
      clientId: row.client_id,
      identityHash: row.identity_hash,
      account,
      revision: row.revision,
    };
  }
}

/** The snapshot after a fact was applied, from the state that applying it returned: saves a read. */
export const snapshotAfter = (
  before: ConversationSnapshot,
  { state, revision }: StateAtRevision,
): ConversationSnapshot => ({
  ...before,
  ...snapshotOf(state, before.account),
  revision,
});

type FromState = Pick<
  ConversationSnapshot,
  'record' | 'providerId' | 'providerKind' | 'sources' | 'isConfirmed' | 'hasRecord' | 'endSeenAt'
>;

function snapshotOf(state: ConversationState, account: ProviderAccount): FromState {
  const { registers } = state;
  // The workflow needs no normalised phone numbers.
  const settings = { deadlines: account.deadlines, defaultRegion: null, readNumber: (raw: string) => raw };
  const record = project(state, settings);
  const sources = membersOf(registers, 'source').map(({ member, value }) => [member, value] as const);
  return {
    record,
    providerId: record.header.provider_conversation_id ?? '',
    providerKind: valueOf(registers, 'kind') ?? '',
    sources: Object.fromEntries(sources) as ConversationSnapshot['sources'],
    isConfirmed: isConfirmed(registers),
    hasRecord: hasRecord(registers),
    endSeenAt: valueOf(registers, 'end_seen'),
  };
}
