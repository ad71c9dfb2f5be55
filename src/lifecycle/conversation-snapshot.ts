// Where a conversation stands, read from Postgres: what its workflow needs to decide, and what the provider must be asked with.
import { Batcher } from '../common/batcher.js';
import type { WorkerDatabase } from '../database/database.js';
import { isConfirmed } from '../reducer/completeness.js';
import { project } from '../reducer/project.js';
import { PURPOSE } from '../record-store/write-conversations.js';
import type { ConversationRecord } from '../reducer/record.js';
import type { Standing } from '../intake/fact-writer.js';
import type { ConversationState } from '../reducer/reducer.js';
import type { ProviderAccount, ProviderAccounts } from '../providers/provider-accounts.js';
import type { RecordingVariant } from '../providers/provider-fact.js';
import { openJson } from '../vault/sealing.js';
import type { VaultService } from '../vault/vault.service.js';

export interface Situation {
  conversationId: string;
  clientId: string;
  identityHash: Buffer;
  account: ProviderAccount;
  record: ConversationRecord;
  revision: number;
  providerId: string;
  providerKind: string;
  /** Where the provider's copies are, by variant, in the provider's own words. */
  sources: Partial<Record<RecordingVariant, string>>;
  /** The provider's own record has been read after the end, or cannot be had. */
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
  sealed: Buffer;
}

const READ = `
select i.id, i.client_id, i.provider_account_id, i.identity_hash, c.revision, s.sealed
from conversation_identities i
join conversations c on c.id = i.id
join conversation_states s on s.conversation_id = i.id
where i.id = any($1::uuid[]) and i.state = 'live'`;

interface Readers {
  database: WorkerDatabase;
  vault: VaultService;
  accounts: ProviderAccounts;
}

export type ReadSituation = (conversationId: string) => Promise<Situation | null>;

/** Reads situations; null where there is no such live row: unknown, or erased. Those asked for at once share a query. */
export function situationReader(readers: Readers): ReadSituation {
  const rows = new Batcher((ids: string[]) => findRows(readers.database, ids), { maxItems: 32, concurrency: 4 });
  return async (conversationId) => {
    const row = await rows.add(conversationId);
    return row === null ? null : opened(readers, row);
  };
}

async function findRows(database: WorkerDatabase, ids: string[]): Promise<(Row | null)[]> {
  const rows = await database.once<Row>('all', { name: 'situations', text: READ, values: [ids] });
  const byId = new Map(rows.map((row) => [row.id, row]));
  return ids.map((id) => byId.get(id) ?? null);
}

async function opened({ vault, accounts }: Readers, row: Row): Promise<Situation | null> {
  const account = await accounts.find(row.provider_account_id);
  if (account === null) return null;
  const key = await vault.existingConversationKey(row.id);
  const state = openJson(key, PURPOSE.state, row.sealed) as ConversationState;
  return {
    ...situationOf(state, account),
    conversationId: row.id,
    clientId: row.client_id,
    identityHash: row.identity_hash,
    account,
    revision: row.revision,
  };
}

/** The same conversation after a fact: what was answered to the saying of it saves reading it again. */
export const situationAfter = (before: Situation, { state, revision }: Standing): Situation => ({
  ...before,
  ...situationOf(state, before.account),
  revision,
});

type FromState = Pick<
  Situation,
  'record' | 'providerId' | 'providerKind' | 'sources' | 'isConfirmed' | 'hasRecord' | 'endSeenAt'
>;

function situationOf(state: ConversationState, account: ProviderAccount): FromState {
  const { registers } = state;
  // Numbers are not looked at here: they stay as they were given.
  const settings = { deadlines: account.deadlines, defaultRegion: null, readNumber: (raw: string) => raw };
  const record = project(state, settings);
  const sources = Object.entries(registers).flatMap(([key, { value }]) =>
    key.startsWith('source.') ? [[key.slice('source.'.length), value as string]] : [],
  );
  return {
    record,
    providerId: record.header.provider_conversation_id ?? '',
    providerKind: (registers['kind']?.value as string | undefined) ?? '',
    sources: Object.fromEntries(sources) as Situation['sources'],
    isConfirmed: isConfirmed(registers),
    hasRecord: registers['confirmed'] !== undefined,
    endSeenAt: (registers['end_seen']?.value as number | undefined) ?? null,
  };
}
