// Facts that workflows report: applied directly and once; stored in the inbox if that is not possible.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { install, type Installation } from '../support/installation.js';

let colloquy: Installation;

beforeAll(async () => {
  colloquy = await install();
  await colloquy.startWorker();
});
afterAll(() => colloquy.close());

const counted = async (query: string, ...values: unknown[]): Promise<number> =>
  Number((await colloquy.sql.query<{ count: string }>(`select count(*) from ${query}`, values)).rows[0]?.count);
const receipts = (): Promise<number> => counted('fact_receipts');
const inInbox = (): Promise<number> => counted("inbox where source in ('record', 'workflow')");

/** A call that has ended and been analysed; resolves with its id once that is applied and its workflow requests the record. */
async function settling(): Promise<{ callId: string; id: string }> {
  const { call_id: callId } = colloquy.retell.addCompleteCall();
  await colloquy.send('call_analyzed', callId);
  const { id } = await colloquy.call(callId, ({ record_state }) => record_state === 'settling');
  return { callId, id };
}

describe('a fact reported by a workflow', () => {
  it('has its receipt and its journal entry, and was never in the inbox', async () => {
    const before = await receipts();
    const { call_id: callId } = colloquy.retell.addCompleteCall();
    await colloquy.send('call_analyzed', callId);
    const { id } = await colloquy.settled(callId);
    // The webhook, the record, the recording.
    expect(await receipts()).toBe(before + 3);
    expect(await inInbox()).toBe(0);
    const said = (await colloquy.store.journal(id)).filter(({ actor_type }) => actor_type === 'workflow');
    expect(said.map(({ action }) => action)).toContain('recording.stored');
  });

  it('is stored in the inbox while the conversation is locked, and applied once afterwards', async () => {
    colloquy.retell.faults.getDelayMs = 1_000;
    const before = await receipts();
    const { callId, id } = await settling();
    const somebody = await colloquy.sql.connect();
    await somebody.query('begin');
    try {
      await somebody.query('select from conversation_identities where id = $1 for no key update', [id]);
      await eventually(async () => (await inInbox()) > 0);
    } finally {
      await somebody.query('rollback');
      somebody.release();
      colloquy.retell.faults.getDelayMs = 0;
    }
    expect(await colloquy.settled(callId)).toMatchObject({ status: 'completed', audio_state: 'present' });
    await eventually(async () => (await inInbox()) === 0);
    expect(await receipts()).toBe(before + 3);
    const actions = (await colloquy.store.journal(id)).map(({ action }) => action);
    for (const once of ['recording.stored', 'conversation.settled'])
      expect(actions.filter((action) => action === once)).toHaveLength(1);
  });
});
