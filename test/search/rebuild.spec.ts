// Rebuilds the index from the content: in steps, while it is used and changed, and automatically for a new database.
// Starts the built command line (npm's pretest).
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newUuid } from '../../src/common/ids.js';
import { eventually, install, type Installation } from '../support/installation.js';
import { startProgram } from '../support/programs.js';
import { openWorkerParts } from '../support/worker-parts.js';

const CALLS = 7;

let colloquy: Installation;
let parts: Awaited<ReturnType<typeof openWorkerParts>>;
/** By id. */
let calls: { id: string; callId: string }[];

beforeAll(async () => {
  colloquy = await install();
  parts = await openWorkerParts(colloquy.config);
  const callIds = Array.from(
    { length: CALLS },
    (_, index) => colloquy.retell.addCompleteCall({ metadata: { order: 'first' } }, `rebuild ${index}`).call_id,
  );
  for (const callId of callIds) await colloquy.send('call_analyzed', callId);
  while ((await parts.intake.round()) > 0);
  while ((await parts.indexer.round()) > 0);
  while (await parts.rebuild.round());
  calls = await Promise.all(callIds.map(async (callId) => ({ id: (await colloquy.call(callId)).id, callId })));
  calls.sort((a, b) => (a.id < b.id ? -1 : 1));
});
afterAll(async () => {
  await parts.close();
  await colloquy.close();
});

const rowsOf = async (id: string): Promise<number> =>
  (await colloquy.searchSql.query('select from blind_indexes where conversation_id = $1', [id])).rows.length;
const found = async (): Promise<string[]> => {
  const { rows } = await colloquy.searchSql.query<{ id: string }>(
    'select distinct conversation_id as id from blind_indexes order by 1',
  );
  return rows.map(({ id }) => id);
};
const ids = (): string[] => calls.map(({ id }) => id);

/** Empties the search database, like a new one. */
async function empty(): Promise<void> {
  await colloquy.searchSql.query('truncate blind_indexes, indexed_conversations');
  await colloquy.searchSql.query('update search_state set generation = 0, complete = false');
}

/** Takes a step of `limit` conversations, like the loop does with larger steps. */
async function step(limit: number): Promise<boolean> {
  const lease = await parts.searchState.lease();
  if (lease === null) throw new Error('no rebuild is running');
  const { next, done } = await parts.rebuildSteps.rebuildStep(lease.after, limit);
  expect(await parts.searchState.advance(lease, { after: next, written: done, total: CALLS })).toBe(true);
  return next !== null;
}

describe('a rebuild of an index that is in use', () => {
  beforeEach(async () => {
    await parts.searchState.begin({ always: true });
    while (await step(100));
  });

  it('finds every conversation at all times, and reports incomplete results while it runs', async () => {
    await parts.searchState.begin({ always: true });
    for (let more = true; more;) {
      expect(await parts.searchState.read()).toMatchObject({ complete: false, rebuilding: true });
      more = await step(2);
      expect(await found()).toEqual(ids());
    }
    expect(await parts.searchState.read()).toMatchObject({
      complete: true,
      rebuilding: false,
      indexed_until: null,
      rebuild_written: CALLS,
    });
  });

  it('restores lost rows, and removes rows of unknown conversations, also after the last one', async () => {
    const lost = calls[3]?.id ?? '';
    await colloquy.searchSql.query('delete from blind_indexes where conversation_id = $1', [lost]);
    const nobody = ['00000000-0000-7000-8000-000000000000', newUuid()];
    for (const id of nobody) {
      await colloquy.searchSql.query('insert into indexed_conversations values ($1, 1, 1, true)', [id]);
      await colloquy.searchSql.query(`insert into blind_indexes values ($1, 'tag', '\\x00', now(), $2)`, [
        newUuid(),
        id,
      ]);
    }
    await parts.searchState.begin({ always: true });
    while (await step(3));
    expect(await found()).toEqual(ids());
    const { rows } = await colloquy.searchSql.query('select from indexed_conversations');
    expect(rows).toHaveLength(CALLS);
  });

  it('overwrites revisions that are newer than the content, like after a restored backup', async () => {
    const ahead = calls[0]?.id ?? '';
    await colloquy.searchSql.query('update indexed_conversations set revision = 99 where conversation_id = $1', [
      ahead,
    ]);
    await colloquy.searchSql.query('delete from blind_indexes where conversation_id = $1', [ahead]);
    await parts.searchState.begin({ always: true });
    while (await step(3));
    expect(await rowsOf(ahead)).toBeGreaterThan(2);
  });

  it('keeps concurrent changes, before and after its position', async () => {
    await parts.searchState.begin({ always: true });
    await step(3);
    const changed = [calls[0], calls[CALLS - 1]];
    for (const call of changed) {
      colloquy.retell.calls.update(call?.callId ?? '', { metadata: { order: `second ${call?.id}` } });
      await colloquy.send('call_analyzed', call?.callId ?? '');
    }
    while ((await parts.intake.round()) > 0);
    await parts.indexer.round();
    while (await step(3));
    const hasher = await colloquy.vault.indexHasher(colloquy.clientId);
    for (const call of changed) {
      const hash = hasher.hash('metadata', 'order', `second ${call?.id}`);
      const { rows } = await colloquy.searchSql.query(
        'select conversation_id as id from blind_indexes where hash = $1',
        [hash],
      );
      expect(rows).toEqual([{ id: call?.id }]);
    }
    expect(await found()).toEqual(ids());
  });

  it('skips conversations that cannot be decrypted, to be retried, and continues', async () => {
    const broken = calls[2]?.id ?? '';
    const { rows } = await colloquy.sql.query<{ header: Buffer }>('select header from conversations where id = $1', [
      broken,
    ]);
    await colloquy.sql.query(`update conversations set header = '\\x01' where id = $1`, [broken]);
    await parts.searchState.begin({ always: true });
    while (await step(3));
    expect(await found()).toEqual(ids());
    const waits = await colloquy.sql.query('select conversation_id as id from search_todo');
    expect(waits.rows).toEqual([{ id: broken }]);
    await colloquy.sql.query('update conversations set header = $2 where id = $1', [broken, rows[0]?.header]);
    await parts.indexer.round();
  });

  it('is advanced by one worker at a time; one that has lost its lease advances nothing', async () => {
    await parts.searchState.begin({ always: true });
    const late = await parts.searchState.lease();
    expect(await parts.searchState.lease()).toBeNull();
    await colloquy.searchSql.query('update search_state set rebuild_leased_until = now()');
    const next = await parts.searchState.lease();
    if (late === null || next === null) throw new Error('nothing to take over');
    expect(await parts.searchState.advance(late, { after: null, written: 1, total: 1 })).toBe(false);
    expect(await parts.searchState.read()).toMatchObject({ complete: false, rebuilding: true, rebuild_written: 0 });
    expect(await parts.searchState.advance(next, { after: null, written: 1, total: 1 })).toBe(true);
  });
});

describe('results', () => {
  it('are incomplete while the indexer lags, and contain the time that the index has reached', async () => {
    const since = new Date(Date.now() - 60_000);
    await colloquy.sql.query(
      'insert into search_todo (conversation_id, client_id, revision, since) values ($1, $2, 1, $3)',
      [newUuid(), colloquy.clientId, since],
    );
    await parts.rebuild.round();
    expect(await parts.searchState.read()).toMatchObject({ complete: true, indexed_until: since });
    await colloquy.sql.query('delete from search_todo');
    await parts.rebuild.round();
    expect(await parts.searchState.read()).toMatchObject({ complete: true, indexed_until: null });
  });
});

describe('a running worker', () => {
  beforeAll(async () => {
    await colloquy.startWorker();
  });

  it('notices a new search database, and fills it', async () => {
    await empty();
    await eventually(async () => (await parts.searchState.read()).complete);
    expect(await found()).toEqual(ids());
  });

  it('rebuilds on "colloquy search rebuild", which shows the progress', async () => {
    await colloquy.searchSql.query('delete from blind_indexes where conversation_id = $1', [calls[1]?.id]);
    const rebuild = startProgram('cli', colloquy.env, ['search', 'rebuild']);
    expect(await rebuild.ended).toBe(0);
    const lines = rebuild.said().trim().split('\n');
    expect(lines[0]).toMatch(/^rebuild begun: /);
    expect(lines.slice(1, -1).every((line) => /^(not begun yet|\d+ of about \d+ conversations)$/.test(line))).toBe(
      true,
    );
    expect(lines.at(-1)).toBe('the search index is complete: 7 conversations');
    expect(await found()).toEqual(ids());
  });
});
