// Whether anything waits for a conversation, in whatever state: every statement that asks this of a long inbox uses an index,
// and reads only the facts in question.
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { newUuid } from '../../src/common/ids.js';
import { abandonedAmong } from '../../src/maintenance/abandoned-identities.js';
import { createDataSource } from '../../src/database/data-source.js';
import { ListedIdentities } from '../../src/reconciliation/listed-identities.js';
import { FolderStore } from '../../src/object-store/folder-store.js';
import { OrphanedObjects } from '../../src/recordings/orphaned-objects.js';
import { CountingDatabase } from '../support/counting-database.js';
import { createTestDatabases, type TestDatabases } from '../support/databases.js';

const FACTS = 60_000;
/** Few compared with the facts: for many conversations at once, reading all of a small inbox may be cheaper. */
const ASKED = 40;
/** Of these, the conversations of which a fact is left. */
const LEFT = 20;
const STATES = ['pending', 'parked'];
const account = newUuid();
const client = newUuid();

// Half of them wait, half are parked; each belongs to its own conversation.
const FILL_INBOX = `
insert into inbox (id, provider_account_id, identity_hash, source, kind, hash, received_at, key_day, sealed, state, parked_at)
select uuidv7(), $1, int8send(n), 'webhook', 'call_ended', int8send(n), now() - n * interval '1 second', current_date, '\\x00',
  case n % 2 when 0 then 'pending' else 'parked' end, case n % 2 when 1 then now() end
from generate_series(1, $2::bigint) as n`;
// The conversations of the first facts, and others without facts; none of them has been created.
const FILL_IDENTITIES = `
insert into conversation_identities (id, client_id, provider_account_id, identity_hash, suppression_hash)
select uuidv7(), $2, $1, hash, hash from
  (select int8send(case when n > ${LEFT} then -n else n end) as hash from generate_series(1, ${ASKED}::bigint) as n) as hashes
returning id, identity_hash`;

interface Conversation {
  id: string;
  identity_hash: Buffer;
}

let databases: TestDatabases;
let sql: Client;
let database: CountingDatabase;
let conversations: Conversation[];
const left = (): Conversation[] => conversations.slice(0, LEFT);
const asListed = ({ identity_hash: hash }: Conversation) => ({
  accountId: account,
  hash,
  clientId: client,
  suppressionHash: hash,
});
const bare = (): Conversation[] => conversations.slice(LEFT);

beforeAll(async () => {
  databases = await createTestDatabases(inject('services').postgresUrl);
  sql = new Client({ connectionString: databases.databaseUrl });
  await sql.connect();
  await sql.query(FILL_INBOX, [account, FACTS]);
  ({ rows: conversations } = await sql.query<Conversation>(FILL_IDENTITIES, [account, client]));
  await sql.query('vacuum analyze');
  const { DATABASE_URL: url } = databases.settingsOf('worker');
  const source = createDataSource({ url, role: 'colloquy_worker', poolSize: 2 });
  database = new CountingDatabase(await source.initialize(), 'inbox');
});
beforeEach(() => {
  [database.scans, database.indexScans, database.rows] = [0, 0, 0];
});
afterAll(async () => {
  await database.close();
  await sql.end();
  await databases.drop();
});

/** Checks that this many conversations were looked up by an index, and that only the facts of those with some were read. */
function expectLookUps(asked: number, found: number): void {
  expect(database.scans).toBe(0);
  expect(database.indexScans).toBe(asked);
  expect(database.rows).toBeLessThanOrEqual(found);
}

describe(`an inbox of ${FACTS} facts`, () => {
  it('is searched by an index for conversations that were never created', async () => {
    const ids = conversations.map(({ id }) => id);
    const orphans = await abandonedAmong(database, ids);
    expect(orphans.toSorted()).toEqual(
      bare()
        .map(({ id }) => id)
        .toSorted(),
    );
    expectLookUps(ASKED, LEFT);
  });

  it('is searched by an index for facts that may still reference an object', async () => {
    const folder = mkdtempSync(join(inject('services').runDir, 'objects-'));
    const loose = new OrphanedObjects(database, new FolderStore(folder));
    const ids = conversations.map(({ id }) => id);
    const announce =
      'insert into orphaned_objects (object_key, conversation_id, since) select id::text, id, $2 from unnest($1::uuid[]) as id';
    await sql.query(announce, [ids, new Date(0)]);
    expect(await loose.sweep(new Date())).toBe(ASKED - LEFT);
    expectLookUps(ASKED, LEFT);
  });

  it('is searched by an index for the known conversations of a list', async () => {
    const identities = new ListedIdentities(database);
    const known = (await identities.known(conversations.map(asListed))).map(({ isKnown }) => isKnown);
    // A parked fact creates no conversation by itself.
    expect(known.filter(Boolean)).toHaveLength(LEFT / STATES.length);
    expectLookUps(ASKED, LEFT);
  });

  it('is searched by an index before a conversation is imported', async () => {
    const identities = new ListedIdentities(database);
    const reserve = (conversation: Conversation) => identities.reserve(asListed(conversation), 'backfill');
    const waiting = left().find(({ identity_hash: hash }) => hash.readBigInt64BE() % 2n === 0n);
    const [free] = bare();
    if (waiting === undefined || free === undefined) throw new Error('there are none');
    expect(await reserve(waiting)).toBe('known');
    expect(await reserve(free)).toEqual({ conversationId: free.id, clientId: client });
    expectLookUps(2, 1);
  });
});
