// Follows each field of src/providers/plain-fields.ts from a provider's document through claims, record and column to the list of
// the API.
import { getMetadataArgsStorage } from 'typeorm';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { Caller } from '../../src/access/caller.js';
import { newUuid } from '../../src/common/ids.js';
import { findPage } from '../../src/conversations/conversation-list.js';
import { basicView } from '../../src/conversations/conversation-view.js';
import { basicConversation } from '../../src/conversations/conversation.schema.js';
import { createDataSource } from '../../src/database/data-source.js';
import { ConversationEntity } from '../../src/database/entities/conversation.entity.js';
import { withScope, type Transaction } from '../../src/database/with-scope.js';
import { PLAIN_COLUMNS, PLAIN_NAMES, type PlainField } from '../../src/providers/plain-fields.js';
import type { Claims } from '../../src/providers/provider-fact.js';
import { providerNamed, providerNames } from '../../src/providers/providers.js';
import { storable } from '../../src/providers/storable.js';
import type { SealedConversation } from '../../src/record-store/sealed-conversation.js';
import { writeConversations } from '../../src/record-store/write-conversations.js';
import { EMPTY } from '../../src/reducer/conversation-state.js';
import { changesBetween } from '../../src/reducer/journal-entries.js';
import { project } from '../../src/reducer/project.js';
import { reduce } from '../../src/reducer/reducer.js';
import { loadContract } from '../providers/contract.js';
import { createTestDatabases, type TestDatabases } from '../support/databases.js';

const NAMES = PLAIN_NAMES;
const SETTINGS = { deadlines: { analysis: 1800, transcript: 3600, audio: 86_400 }, defaultRegion: null };

/** Claims of every provider's fullest documents, one per kind. */
const documents: Claims[] = [];
for (const provider of providerNames())
  for (const { record } of Object.values((await loadContract(provider)).fullest))
    documents.push(providerNamed(provider).interpretRecord(record));

const claimed = (name: PlainField): unknown[] => documents.map(({ fields }) => fields[name] ?? null);

const recordOf = (claims: Claims) => {
  const checked = storable(() => claims, null).claims;
  const fact = {
    source: 'record',
    event: 'record',
    receivedAt: 1_760_001_000_000,
    hash: '00',
    claims: checked,
  } as const;
  return project(reduce(EMPTY, [fact]).state, SETTINGS);
};

const NO_PARTS = { record: null, transcript: null, audio: null, analysis: null };

/** The list item of each document. */
let shown: Record<string, unknown>[];
let databases: TestDatabases;

const sealed = (claims: Claims): SealedConversation => ({
  ref: {
    conversationId: newUuid(),
    clientId: newUuid(),
    providerAccountId: newUuid(),
    provider: 'any',
    createdAt: new Date(),
  },
  agentId: null,
  record: recordOf(claims),
  revision: 1,
  stateRevision: 1,
  header: { ...NO_PARTS, record: Buffer.from('header') },
  state: { ...NO_PARTS, record: Buffer.from('state') },
  providerRecord: null,
  transcript: null,
  recordings: [],
});

/** Lists use only the clients of a caller. */
async function listed(tx: Transaction, { ref }: SealedConversation): Promise<Record<string, unknown>> {
  const caller = { clients: [ref.clientId] } as unknown as Caller;
  const [row] = await findPage(tx, caller, { filter: {}, sort: '-start_time', limit: 1, after: null }, false);
  if (row === undefined) throw new Error('nothing was written');
  return basicConversation.parse(basicView(row, () => null));
}

beforeAll(async () => {
  databases = await createTestDatabases(inject('services').postgresUrl);
  const source = createDataSource({ url: databases.databaseUrl, role: 'owner', poolSize: 1 });
  await source.initialize();
  shown = await withScope(source, 'all', async (tx) => {
    // Lets rows be inserted without their identities.
    await tx.query({ text: "set local session_replication_role = 'replica'" });
    const rows = documents.map(sealed);
    await writeConversations(tx, rows);
    return Promise.all(rows.map((row) => listed(tx, row)));
  });
  await source.destroy();
});
afterAll(() => databases.drop());

describe.each(NAMES)('the plain field %s', (name) => {
  it('is claimed by the fullest document of a provider', () => {
    expect(claimed(name).filter((value) => value !== null)).not.toEqual([]);
  });

  it('is shown as claimed, or null if it is not claimed', () => {
    expect(shown.map((view) => view[name])).toEqual(claimed(name));
  });

  it('has its own name in the history', () => {
    const [record] = documents.filter(({ fields }) => name in fields).map(recordOf);
    expect(record && changesBetween({ ...record, [name]: null }, record)).toEqual([name]);
  });

  it('has a nullable column of its type', () => {
    const columns = getMetadataArgsStorage().filterColumns(ConversationEntity);
    const { type, nullable } = columns.find(({ propertyName }) => propertyName === name)?.options ?? {};
    expect({ type, nullable }).toEqual({ type: PLAIN_COLUMNS[name], nullable: true });
  });
});

describe.each(NAMES.filter((name) => PLAIN_COLUMNS[name] === 'text'))('the plain field %s', (name) => {
  it.each(['Anneke Okonkwo', '+1 202 555 0142', 'x'.repeat(129)])('does not store free text: %s', (words) => {
    for (const claims of documents) {
      const said = { ...claims, fields: { ...claims.fields, [name]: words } };
      expect(storable(() => said, null)).toMatchObject({
        claims: { fields: expect.not.objectContaining({ [name]: words }) },
        omitted: ['texts'],
      });
    }
  });
});
