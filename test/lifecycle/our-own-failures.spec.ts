// Failures under a running intake that are no fact's fault: nothing is parked, and everything is applied after the repair.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WorkerDatabase } from '../../src/database/database.js';
import { createDataSource } from '../../src/database/data-source.js';
import { eventually } from '../support/eventually.js';
import { install, type Installation } from '../support/installation.js';

const CALLS = 12;

let colloquy: Installation;
let mend = '';

beforeAll(async () => {
  colloquy = await install();
  await colloquy.startWorker();
});
afterEach(() => colloquy.sql.query(mend));
afterAll(() => colloquy.close());

const postponed = async (): Promise<boolean> => {
  const { rows } = await colloquy.sql.query<{ waiting: boolean }>(
    'select count(*) > 0 and bool_and(postponements >= 2) as waiting from inbox',
  );
  return rows[0]?.waiting === true;
};

/** Calls whose facts arrive while `breaking` is in force; each is applied exactly once after `mending`. */
async function broken(breaking: string, mending: string, seed: string): Promise<void> {
  mend = mending;
  await colloquy.sql.query(breaking);
  const calls = Array.from({ length: CALLS }, (_, n) => colloquy.retell.addCompleteCall({}, `${seed} ${n}`).call_id);
  for (const callId of calls) for (const event of ['call_ended', 'call_analyzed']) await colloquy.send(event, callId);
  await eventually(postponed, 40);
  const { rows } = await colloquy.sql.query('select distinct state, attempts, parked_reason from inbox');
  expect(rows).toEqual([{ state: 'pending', attempts: 0, parked_reason: null }]);
  await colloquy.sql.query(mending);
  await colloquy.sql.query('update inbox set retry_at = now()');
  for (const callId of calls) {
    const settled = await colloquy.settled(callId);
    const actions = (await colloquy.store.journal(settled.id)).map(({ action }) => action);
    for (const once of ['conversation.created', 'conversation.ended', 'conversation.settled'])
      expect(actions.filter((action) => action === once)).toHaveLength(1);
  }
  await eventually(async () => (await colloquy.sql.query('select 1 from inbox')).rows.length === 0);
}

describe("a failure that is not a fact's own", () => {
  it('parks nothing if a column is renamed, as by a migration under an old worker', () =>
    broken(
      'alter table transcripts rename column revision to later_revision',
      `do $$ begin alter table transcripts rename column later_revision to revision;
        exception when undefined_column then null; end $$`,
      'column',
    ));

  it('parks nothing if a grant is missing', () =>
    broken('revoke insert on journal from colloquy_worker', 'grant insert on journal to colloquy_worker', 'grant'));

  it('is reported with its first error, not with those of the statements sent after it', async () => {
    mend = 'select 1';
    const source = createDataSource({ url: colloquy.config.databaseUrl ?? '', role: 'colloquy_worker', poolSize: 1 });
    const database = new WorkerDatabase(await source.initialize());
    const failure = database.withScope('all', async (tx) => {
      const first = tx.query({ text: 'select no_such_column' });
      // This error arrives before the one of the statement that failed first.
      await Promise.all([tx.query({ text: 'select 1' }), first.catch(() => undefined)]);
    });
    await expect(failure).rejects.toMatchObject({ code: '42703' });
    await database.close();
  });
});
