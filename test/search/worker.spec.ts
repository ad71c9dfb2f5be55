// The index follows while the worker runs: how soon, and while the search database is down.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { registry } from '../../src/observability/metrics.js';
import { eventually, install, type Installation } from '../support/installation.js';

let colloquy: Installation;

beforeAll(async () => {
  colloquy = await install();
  await colloquy.startWorker();
});
afterAll(() => colloquy.close());

const isFound = async (callId: string): Promise<boolean> => {
  const hash = (await colloquy.vault.indexHasher(colloquy.clientId)).hash('provider_id', callId);
  return (await colloquy.searchSql.query('select from blind_indexes where hash = $1', [hash])).rows.length > 0;
};

/** Number of conversations that were indexed within `seconds` of the commit, according to the worker's metrics. */
async function indexedWithin(seconds: string): Promise<number> {
  const line = `colloquy_search_index_seconds_bucket{le="${seconds}"} `;
  const found = (await registry.metrics()).split('\n').find((text) => text.startsWith(line));
  return Number(found?.slice(line.length));
}

describe('a conversation', () => {
  it('is found by its ids within a second of the commit that created or changed it', async () => {
    for (let count = 0; count < 40; count += 1) {
      const { call_id: callId } = colloquy.retell.addCompleteCall({}, `soon ${count}`);
      await colloquy.send('call_analyzed', callId);
      await eventually(() => isFound(callId));
    }
    const [within, all] = await Promise.all([indexedWithin('1'), indexedWithin('+Inf')]);
    expect(all).toBeGreaterThanOrEqual(40);
    // Tolerates a busy machine; the first one also opens connections.
    expect(within / all).toBeGreaterThanOrEqual(0.9);
  });
});

describe('while the search database is down', () => {
  it('calls are applied and settle; the backlog is counted, and found once the database is back, without a restart', async () => {
    const name = new URL(colloquy.env['SEARCH_DATABASE_URL'] ?? '').pathname.slice(1);
    await colloquy.sql.query(`alter database ${name} allow_connections false`);
    await colloquy.sql.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [name]);
    const calls = Array.from({ length: 5 }, (_, index) => colloquy.retell.addCompleteCall({}, `away ${index}`).call_id);
    for (const callId of calls) await colloquy.send('call_analyzed', callId);
    for (const callId of calls) expect(await colloquy.settled(callId)).toMatchObject({ status: 'completed' });
    const { rows } = await colloquy.sql.query<{ attempts: number }>('select attempts from search_todo');
    // The failure is not theirs, so it does not count as an attempt.
    expect(rows.map(({ attempts }) => attempts)).toEqual([0, 0, 0, 0, 0]);
    await colloquy.sql.query(`alter database ${name} allow_connections true`);
    for (const callId of calls) await eventually(() => isFound(callId), 5);
    await eventually(async () => (await colloquy.sql.query('select from search_todo')).rows.length === 0);
  });
});
