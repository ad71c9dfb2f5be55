import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { install, type Installation } from '../support/installation.js';

let colloquy: Installation;

beforeAll(async () => {
  colloquy = await install();
  await colloquy.startWorker();
});
afterAll(() => colloquy.close());

/** Cuts every connection to the content database and the keystore, as when Postgres restarts. */
async function cutConnections(): Promise<void> {
  const names = [colloquy.env['DATABASE_URL'], colloquy.env['KEYSTORE_DATABASE_URL']].map((url) =>
    new URL(url ?? '').pathname.slice(1),
  );
  await colloquy.sql.query(
    'select pg_terminate_backend(pid) from pg_stat_activity where datname = any($1) and pid <> pg_backend_pid()',
    [names],
  );
}

describe('a worker whose connections to Postgres are cut', () => {
  it('continues by itself and settles every call, without an unhandled failure', async () => {
    // Idle connections of the test's own pool are cut as well.
    colloquy.sql.on('error', () => undefined);
    const calls: string[] = [];
    for (let round = 0; round < 6; round += 1) {
      const { call_id: callId } = colloquy.retell.addCompleteCall({}, `cut ${round}`);
      calls.push(callId);
      const delivered = await colloquy.send('call_analyzed', callId).catch(() => null);
      await cutConnections();
      // As the provider does after a status other than 2xx.
      if (delivered === null) await colloquy.send('call_analyzed', callId);
    }
    for (const callId of calls) {
      expect(await colloquy.settled(callId)).toMatchObject({ status: 'completed', audio_state: 'present' });
    }
  });
});
