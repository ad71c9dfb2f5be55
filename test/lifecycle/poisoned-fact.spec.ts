import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Transaction } from '../../src/database/with-scope.js';
import { countFailure } from '../../src/inbox/failed-facts.js';
import { eventually } from '../support/eventually.js';
import { install, type Installation } from '../support/installation.js';

let colloquy: Installation;
let callId: string;
let neighbour: string;
/** The fact that cannot be decrypted. */
let poisoned: string;

/** Changes one byte of the sealed payload, so that it never opens again. */
const TAMPER = `
update inbox set sealed = set_byte(sealed, length(sealed) - 1, 255 - get_byte(sealed, length(sealed) - 1))
where kind = 'transcript_updated' returning id`;

beforeAll(async () => {
  colloquy = await install();
  callId = colloquy.retell.addCall({}, 'poisoned').call_id;
  await colloquy.send('call_started', callId);
  await colloquy.send('transcript_updated', callId);
  colloquy.finish(callId);
  await colloquy.send('call_ended', callId);
  neighbour = colloquy.retell.addCompleteCall({}, 'other').call_id;
  await colloquy.send('call_analyzed', neighbour);
  poisoned = (await colloquy.sql.query<{ id: string }>(TAMPER)).rows[0]?.id ?? '';
});
afterAll(() => colloquy.close());

interface PoisonedRow {
  state: string;
  attempts: number;
  parked_reason: string | null;
}

const row = async (): Promise<PoisonedRow | undefined> =>
  (await colloquy.sql.query<PoisonedRow>('select * from inbox where id = $1', [poisoned])).rows[0];

describe('a fact that cannot be decrypted', () => {
  it('is postponed by 1, 2, 4 and 8 seconds, and parked by the fifth failure', async () => {
    const client = await colloquy.sql.connect();
    const query: Transaction['query'] = async ({ text, values }) => (await client.query(text, values)).rows;
    const tx = { query } as Transaction;
    const seen: [boolean, number][] = [];
    await client.query('begin');
    for (let failure = 0; failure < 5; failure += 1) {
      const parked = await countFailure(tx, poisoned, 'open_failed');
      const text = 'select extract(epoch from retry_at - now())::int as wait from inbox where id = $1';
      const [found] = await tx.query<{ wait: number }>({ text, values: [poisoned] });
      seen.push([parked, found?.wait ?? -1]);
    }
    await client.query('rollback');
    client.release();
    expect(seen.slice(0, 4)).toEqual([1, 2, 4, 8].map((wait) => [false, wait]));
    expect(seen[4]?.[0]).toBe(true);
  });

  it('is tried five times and parked with its reason, while its neighbours are applied', async () => {
    await colloquy.startWorker();
    expect(await colloquy.settled(callId)).toMatchObject({ status: 'completed', audio_state: 'present' });
    expect(await colloquy.settled(neighbour)).toMatchObject({ status: 'completed' });
    await eventually(async () => {
      await colloquy.sql.query('update inbox set retry_at = now() where id = $1 and retry_at > now()', [poisoned]);
      return (await row())?.state === 'parked';
    });
    expect(await row()).toMatchObject({ attempts: 5, parked_reason: 'open_failed' });
  });

  it('stays unchanged once it is parked, for whoever repairs the cause', async () => {
    await colloquy.sql.query("update inbox set retry_at = now() - interval '1 day' where id = $1", [poisoned]);
    const again = colloquy.retell.addCompleteCall({}, 'after').call_id;
    await colloquy.send('call_analyzed', again);
    await colloquy.settled(again);
    expect(await row()).toMatchObject({ state: 'parked', attempts: 5 });
  });
});
