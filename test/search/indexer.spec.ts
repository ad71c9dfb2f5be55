// The search index follows the record: promptly, once, in order, and despite failures. The parts are those of the worker;
// rounds are run manually, so that tests can act between two steps of a round.
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { newUuid } from '../../src/common/ids.js';
import type { IndexDocument, IndexWriter } from '../../src/search/index-writer.js';
import { SearchTodos } from '../../src/search/search-todos.js';
import { registry } from '../../src/observability/metrics.js';
import { install, type Installation } from '../support/installation.js';
import { openWorkerParts } from '../support/worker-parts.js';

let colloquy: Installation;
let parts: Awaited<ReturnType<typeof openWorkerParts>>;
let calls = 0;

beforeAll(async () => {
  colloquy = await install();
  parts = await openWorkerParts(colloquy.config);
});
afterAll(async () => {
  await parts.close();
  await colloquy.close();
});
beforeEach(async () => {
  while ((await parts.indexer.round()) > 0);
});

interface Todo {
  conversation_id: string;
  revision: number;
  attempts: number;
  waits: boolean;
}

const todos = async (): Promise<Todo[]> =>
  (
    await colloquy.sql.query<Todo>(
      'select conversation_id, revision, attempts, due_at > now() as waits from search_todo order by conversation_id',
    )
  ).rows;

/** The hashes of a conversation as text. */
async function hashesOf(conversationId: string): Promise<string[]> {
  const text = `select encode(hash, 'hex') as hash from blind_indexes where conversation_id = $1 order by hash`;
  return (await colloquy.searchSql.query<{ hash: string }>(text, [conversationId])).rows.map(({ hash }) => hash);
}

/** Adds a call that is applied but not indexed yet. */
async function newCall(): Promise<{ callId: string; id: string; revision: number }> {
  const { call_id: callId } = colloquy.retell.addCompleteCall({ metadata: { order: 'first' } }, `call ${(calls += 1)}`);
  await colloquy.send('call_analyzed', callId);
  expect(await parts.intake.round()).toBe(1);
  const { id, revision } = await colloquy.call(callId);
  return { callId, id, revision };
}

/** Corrects the metadata of a call at the provider, and applies the correction. */
async function correct(callId: string, order: string): Promise<void> {
  colloquy.retell.calls.update(callId, { metadata: { order } });
  await colloquy.send('call_analyzed', callId);
  await parts.intake.round();
}

const metadataHash = async (order: string): Promise<string> =>
  (await colloquy.vault.indexHasher(colloquy.clientId)).hash('metadata', 'order', order).toString('hex');

/** Runs `happens` after a round has written the index and before it removes the finished rows. */
function between(happens: () => Promise<void>): void {
  vi.spyOn(SearchTodos.prototype, 'remove').mockImplementationOnce(async function (this: SearchTodos, done) {
    await happens();
    await this.remove(done);
  });
}

describe('the indexing queue', () => {
  it('has a row per conversation with its newest revision, and none for a change without searchable fields', async () => {
    const { call_id: callId } = colloquy.retell.addCall({ metadata: { order: 'a' } });
    await colloquy.send('call_started', callId);
    await parts.intake.round();
    const { id } = await colloquy.call(callId);
    expect(await todos()).toMatchObject([{ conversation_id: id, revision: 1 }]);
    await correct(callId, 'b');
    expect(await todos()).toMatchObject([{ conversation_id: id, revision: 2 }]);
    expect(await parts.indexer.round()).toBe(1);
    // Only further turns.
    const said = [{ role: 'agent', content: 'Hello', words: [{ word: 'Hello', start: 0.4, end: 0.8 }] }];
    colloquy.retell.calls.update(callId, { transcript_object: said });
    await colloquy.send('transcript_updated', callId);
    expect(await parts.intake.round()).toBe(1);
    expect((await colloquy.call(callId)).revision).toBe(3);
    expect(await todos()).toEqual([]);
  });
});

describe('a round of the indexer', () => {
  it('writes the current record, and leaves a concurrent change to the next round', async () => {
    const { callId, id } = await newCall();
    between(() => correct(callId, 'second'));
    expect(await parts.indexer.round()).toBe(1);
    expect(await hashesOf(id)).toContain(await metadataHash('first'));
    expect(await todos()).toMatchObject([{ conversation_id: id, waits: false }]);
    expect(await parts.indexer.round()).toBe(1);
    const hashes = await hashesOf(id);
    expect(hashes).toContain(await metadataHash('second'));
    expect(hashes).not.toContain(await metadataHash('first'));
    expect(await todos()).toEqual([]);
  });

  it('that is killed between the two databases is repeated with the same result', async () => {
    const { id } = await newCall();
    between(() => Promise.reject(new Error('killed')));
    await expect(parts.indexer.round()).rejects.toThrow('killed');
    const hashes = await hashesOf(id);
    expect(hashes.length).toBeGreaterThan(2);
    expect(await todos()).toHaveLength(1);
    expect(await parts.indexer.round()).toBe(1);
    expect(await hashesOf(id)).toEqual(hashes);
    expect(await todos()).toEqual([]);
  });

  it('is shared among workers: each takes different rows', async () => {
    const two = await openWorkerParts(colloquy.config);
    for (let count = 0; count < 8; count += 1) await newCall();
    const done = await Promise.all([parts.indexer.round(), two.indexer.round()]);
    expect(done[0] + done[1]).toBe(8);
    expect(await todos()).toEqual([]);
    await two.close();
  });

  it('backs off from a conversation that cannot be decrypted, and indexes its neighbours', async () => {
    const [bad, good] = [await newCall(), await newCall()];
    await colloquy.sql.query(`update conversations set header = '\\x0102' where id = $1`, [bad.id]);
    expect(await parts.indexer.round()).toBe(2);
    expect(await hashesOf(good.id)).toContain(await metadataHash('first'));
    expect(await hashesOf(bad.id)).toEqual([]);
    expect(await todos()).toMatchObject([{ conversation_id: bad.id, attempts: 1, waits: true }]);
    expect(await registry.metrics()).toContain('colloquy_search_postponed_total{reason="open_failed"} 1');
    await colloquy.sql.query('update search_todo set due_at = now()');
    await parts.indexer.round();
    expect(await todos()).toMatchObject([{ attempts: 2, waits: true }]);
    // Its next change makes it due at once, and writes a header that can be decrypted.
    await correct(bad.callId, 'repaired');
    expect(await todos()).toMatchObject([{ attempts: 0, waits: false }]);
    await parts.indexer.round();
    expect(await hashesOf(bad.id)).toContain(await metadataHash('repaired'));
    expect(await todos()).toEqual([]);
  });

  it.each([
    [
      'is being erased',
      (id: string) => colloquy.sql.query(`update conversation_identities set state = 'erasing' where id = $1`, [id]),
    ],
    ['has lost its key', (id: string) => parts.vault.destroyConversationKeys(id)],
  ])('removes a conversation that %s', async (_, erase) => {
    const { id } = await newCall();
    await parts.indexer.round();
    expect((await hashesOf(id)).length).toBeGreaterThan(2);
    await erase(id);
    await colloquy.sql.query(
      'insert into search_todo (conversation_id, client_id, revision) select id, client_id, revision from conversations where id = $1',
      [id],
    );
    expect(await parts.indexer.round()).toBe(1);
    expect(await hashesOf(id)).toEqual([]);
    expect(await todos()).toEqual([]);
  });
});

describe('a write to the index', () => {
  let writer: IndexWriter;
  beforeAll(() => {
    writer = parts.indexWriter;
  });

  const documentOf = (of: Partial<IndexDocument>): IndexDocument => ({
    conversationId: newUuid(),
    clientId: colloquy.clientId,
    revision: 1,
    startTime: new Date(1_760_000_000_123),
    entries: [{ kind: 'tag', hash: randomBytes(16) }],
    ...of,
  });
  const hexOf = ({ entries }: IndexDocument): string[] => entries.map(({ hash }) => hash.toString('hex')).sort();

  it('of an older revision does not overwrite a newer one, and of the same revision changes nothing', async () => {
    const newer = documentOf({ revision: 5 });
    await writer.write([newer]);
    await writer.write([documentOf({ conversationId: newer.conversationId, revision: 4 })]);
    await writer.write([newer]);
    expect(await hashesOf(newer.conversationId)).toEqual(hexOf(newer));
  });

  it.each([
    ['newer', 6],
    ['older', 4],
  ])('that waits for another worker leaves the newest revision: the other one is %s', async (_, revision) => {
    const [mine, theirs] = [documentOf({ revision: 5 }), documentOf({ revision })];
    theirs.conversationId = mine.conversationId;
    const other = await colloquy.searchSql.connect();
    await other.query('begin');
    await other.query('insert into indexed_conversations values ($1, 0, $2, true)', [mine.conversationId, revision]);
    await other.query('insert into blind_indexes values ($1, $2, $3, $4, $5)', [
      theirs.clientId,
      'tag',
      theirs.entries[0]?.hash,
      theirs.startTime,
      mine.conversationId,
    ]);
    const written = writer.write([mine]);
    await waiting();
    await other.query('commit');
    other.release();
    await written;
    expect(await hashesOf(mine.conversationId)).toEqual(hexOf(revision > 5 ? theirs : mine));
  });

  it('moves the rows when start_time changes', async () => {
    const before = documentOf({});
    await writer.write([before]);
    const after = { ...before, revision: 2, startTime: new Date(1_760_000_999_000) };
    await writer.write([after]);
    const { rows } = await colloquy.searchSql.query('select start_time from blind_indexes where conversation_id = $1', [
      before.conversationId,
    ]);
    expect(rows).toEqual([{ start_time: after.startTime }]);
  });

  it('after the removal of an erased conversation writes nothing, however new it is', async () => {
    const document = documentOf({});
    await writer.write([document]);
    await writer.remove([document.conversationId]);
    await writer.write([{ ...document, revision: 99 }]);
    expect(await hashesOf(document.conversationId)).toEqual([]);
  });

  /** Resolves once a session waits for a lock in the search database. */
  async function waiting(): Promise<void> {
    for (;;) {
      const { rows } = await colloquy.searchSql.query(
        "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
      );
      if (rows.length > 0) return;
    }
  }
});
