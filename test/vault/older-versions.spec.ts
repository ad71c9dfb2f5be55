// An earlier sealed version of a document, put back into its row: nothing opens it.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { publicId } from '../../src/common/ids.js';
import { startApi, type Api } from '../support/api.js';
import { install, type Installation } from '../support/installation.js';
import { openWorkerParts } from '../support/worker-parts.js';

let colloquy: Installation;
let worker: Awaited<ReturnType<typeof openWorkerParts>>;
let api: Api;
let callId: string;
let id: string;
let earlier: Map<string, Buffer>;

const SEALED = [
  ['conversations', 'header', 'id'],
  ['conversations', 'analysis_header', 'id'],
  ['conversation_states', 'record', 'conversation_id'],
  ['conversation_states', 'transcript', 'conversation_id'],
  ['provider_records', 'record', 'conversation_id'],
  ['provider_records', 'transcript', 'conversation_id'],
  ['provider_records', 'analysis', 'conversation_id'],
  ['transcripts', 'sealed', 'conversation_id'],
] as const;
const nameOf = ([table, column]: readonly string[]): string => `${table}.${column}`;

async function read(place: (typeof SEALED)[number]): Promise<Buffer> {
  const [table, column, key] = place;
  const { rows } = await colloquy.sql.query<{ bytes: Buffer }>(
    `select ${column} as bytes from ${table} where ${key} = $1`,
    [id],
  );
  if (rows[0] === undefined) throw new Error(`nothing in ${table}`);
  return rows[0].bytes;
}

const write = ([table, column, key]: readonly string[], bytes: Buffer | undefined) =>
  colloquy.sql.query(`update ${table} set ${column} = $1 where ${key} = $2`, [bytes, id]);

/** Does `work` while the earlier version of one document is in its place. */
async function withEarlier(name: string, work: () => Promise<void>): Promise<void> {
  const place = SEALED.find((one) => nameOf(one) === name);
  if (place === undefined) throw new Error(name);
  const now = await read(place);
  await write(place, earlier.get(name));
  try {
    await work();
  } finally {
    await write(place, now);
  }
}

beforeAll(async () => {
  colloquy = await install();
  worker = await openWorkerParts(colloquy.config);
  api = await startApi(colloquy);
  ({ call_id: callId } = colloquy.retell.addCall({ call_status: 'ongoing' }, 'older versions'));
  await colloquy.send('call_started', callId);
  await worker.intake.round();
  ({ id } = await colloquy.call(callId));
  colloquy.retell.endCall(callId, {
    transcript_with_tool_calls: undefined,
    transcript_object: [{ role: 'agent', content: 'Hello' }],
  });
  colloquy.retell.analyze(callId, { call_summary: 'an earlier summary' });
  await colloquy.send('call_analyzed', callId);
  await worker.intake.round();
  earlier = new Map(await Promise.all(SEALED.map(async (place) => [nameOf(place), await read(place)] as const)));
  colloquy.retell.analyze(callId, { call_summary: 'a later summary' });
  colloquy.retell.rewrite(callId, {
    transcript_object: [
      { role: 'agent', content: 'Hello' },
      { role: 'user', content: 'Hello yourself' },
    ],
  });
  await colloquy.send('call_analyzed', callId);
  await worker.intake.round();
});
afterAll(async () => {
  await api.close();
  await worker.close();
  await colloquy.close();
});

const get = (path = '') =>
  api.app.inject({
    method: 'GET',
    url: `/v1/conversations/${publicId('conversation', id)}${path}`,
    headers: { authorization: `Bearer ${api.readKey}` },
  });

describe('an earlier version', () => {
  it('differs from what is stored now, which opens', async () => {
    for (const place of SEALED) expect(await read(place), nameOf(place)).not.toEqual(earlier.get(nameOf(place)));
    expect((await get()).statusCode).toBe(200);
    expect((await get('/transcript')).statusCode).toBe(200);
    expect(await colloquy.store.providerRecord(id)).toMatchObject({ call_id: callId });
  });

  it.each(['conversations.header', 'conversations.analysis_header'])('of %s does not open', (name) =>
    withEarlier(name, async () => {
      const answer = await get();
      expect(answer.statusCode).toBe(500);
      expect(answer.json()).toMatchObject({ code: 'internal' });
      const conversation = await colloquy.call(callId);
      await expect(colloquy.store.header(conversation)).rejects.toMatchObject({ reason: 'open_failed' });
    }),
  );

  it('of the transcript does not open', () =>
    withEarlier('transcripts.sealed', async () => {
      expect((await get('/transcript')).statusCode).toBe(500);
      await expect(colloquy.store.turns(id)).rejects.toMatchObject({ reason: 'open_failed' });
    }));

  it.each(['provider_records.record', 'provider_records.transcript', 'provider_records.analysis'])(
    'of %s does not open',
    (name) =>
      withEarlier(name, async () => {
        await expect(colloquy.store.providerRecord(id)).rejects.toMatchObject({ reason: 'open_failed' });
      }),
  );

  it.each(['record', 'transcript'])(
    'of the state (%s) applies no fact, and costs none: it waits until the row is repaired',
    async (part) => {
      const before = await colloquy.call(callId);
      const waiting = async () =>
        (await colloquy.sql.query<{ state: string; attempts: number }>('select state, attempts from inbox')).rows;
      colloquy.retell.rewrite(callId, { metadata: { part } });
      await colloquy.send('transcript_updated', callId);
      await withEarlier(`conversation_states.${part}`, async () => {
        expect(await worker.intake.round()).toBe(0);
        expect(await waiting()).toEqual([{ state: 'pending', attempts: 0 }]);
      });
      await colloquy.sql.query('update inbox set retry_at = null');
      expect(await worker.intake.round()).toBe(1);
      expect((await colloquy.call(callId)).revision).toBeGreaterThanOrEqual(before.revision);
    },
  );
});
