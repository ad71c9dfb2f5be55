// A worker numbers its own entries at once, and those of others in its next round.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listedHash } from '../../src/journal/entry-line.js';
import { startApi, type Api } from '../support/api.js';
import { eventually, install, type Installation } from '../support/installation.js';
import { auditJournal } from '../support/journal-audit.js';

const CALLS = 5;

let colloquy: Installation;
let api: Api;

beforeAll(async () => {
  colloquy = await install();
  api = await startApi(colloquy);
  await colloquy.startWorker();
});
afterAll(async () => {
  await api.close();
  await colloquy.close();
});

const nothingPending = () =>
  eventually(async () => (await colloquy.sql.query('select 1 from journal_pending')).rows.length === 0);

describe('a worker', () => {
  it('numbers what it has applied without waiting for its next round, at most 2 s later', async () => {
    await nothingPending();
    let waited = 0;
    for (let call = 0; call < CALLS; call += 1) {
      const { call_id: callId } = colloquy.retell.addCall();
      await colloquy.send('call_started', callId);
      await colloquy.call(callId);
      const from = performance.now();
      await nothingPending();
      waited += performance.now() - from;
    }
    expect(waited / CALLS).toBeLessThan(500);
  });

  it('numbers entries of the API: keys in the system journal, reads in that of their client', async () => {
    await api.newReader();
    expect((await api.call('GET', '/v1/conversations?view=full')).status).toBe(200);
    await nothingPending();
    const { rows } = await colloquy.sql.query(
      `select action, count(distinct client_id)::int as logs, min(client_id::text) as client from journal
       join journal_sequence using (position, client_id) where actor_type = 'key' or action like 'api_key%' group by action`,
    );
    expect(rows).toEqual(
      expect.arrayContaining([
        { action: 'api_key.created', logs: 1, client: '00000000-0000-0000-0000-000000000000' },
        { action: 'content.listed', logs: 1, client: colloquy.clientId },
      ]),
    );
    expect(await auditJournal(colloquy.sql)).toEqual([]);
  });

  it('stores the conversations of a list page, whose hash is in its entry', async () => {
    const { rows: listed } = await colloquy.sql.query<{ conversation_id: string; listed_hash: Buffer }>(
      'select l.conversation_id, listed_hash from journal_listed l join journal using (position, client_id)',
    );
    const ids = listed.map(({ conversation_id }) => conversation_id);
    expect(new Set(ids)).toEqual(new Set((await colloquy.conversations()).map(({ id }) => id)));
    expect(ids).toHaveLength(CALLS);
    expect(listed[0]?.listed_hash).toEqual(listedHash(ids));
  });
});
