// What the outbox relay does with a row, whatever its workflow.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { publicId } from '../../src/common/ids.js';
import { eventually, install, type Installation } from '../support/installation.js';

/** More than the relay takes at once. */
const MANY = 40;

let colloquy: Installation;

beforeAll(async () => {
  colloquy = await install();
  await colloquy.startWorker();
});
afterAll(() => colloquy.close());

const ADD = `
insert into workflow_commands (workflow, entity_id, kind)
select $1, coalesce($2::uuid, gen_random_uuid()), $3 from generate_series(1, $4::int)`;

const waiting = async (workflow: string): Promise<number> =>
  (await colloquy.sql.query('select 1 from workflow_commands where workflow = $1', [workflow])).rows.length;

describe('a workflow command', () => {
  it('reaches the workflow that it names', async () => {
    const { sql, temporal, accountId } = colloquy;
    await sql.query(ADD, ['reconciliation', accountId, 'asked', 1]);
    const handle = temporal.workflow.getHandle(`reconciliation/backfill/${publicId('providerAccount', accountId)}`);
    await eventually(() => handle.describe().catch(() => null));
    expect(await handle.result()).toMatchObject({ status: 'none' });
    await eventually(async () => (await waiting('reconciliation')) === 0);
  });

  it('is removed if its entity no longer exists', async () => {
    await colloquy.sql.query(ADD, ['conversation', null, 'late', MANY]);
    await eventually(async () => (await waiting('conversation')) === 0);
  });

  it('waits for a worker that knows its workflow, and does not delay others', async () => {
    await colloquy.sql.query(ADD, ['ofALaterVersion', null, 'started', MANY]);
    const { callId } = await colloquy.liveCall();
    colloquy.finish(callId);
    await colloquy.send('call_ended', callId);
    await colloquy.settled(callId);
    expect(await waiting('ofALaterVersion')).toBe(MANY);
  });

  it('can hold names only', async () => {
    const said = colloquy.sql.query(ADD, ['conversation', null, 'called +49 151 23456789', 1]);
    await expect(said).rejects.toThrow('workflow_commands_words_check');
  });
});
