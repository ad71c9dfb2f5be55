import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApi, type Api } from '../support/api.js';
import { eventually, install, type Installation } from '../support/installation.js';
import { endPrograms, startWorkerProgram } from '../support/programs.js';
import {
  addAccount,
  addPast,
  backfilled,
  conversationsOf,
  progressOf,
  requestCounts,
} from '../reconciliation/account.js';

const CALLS = 120;
/** Conversations that a worker imports concurrently. */
const LANES = 8;

let colloquy: Installation;
let api: Api;
let calls: string[];

beforeAll(async () => {
  colloquy = await install({ env: { COLLOQUY_PROVIDER_RATE: '2000' } });
  api = await startApi(colloquy);
  calls = addPast(colloquy, CALLS, 6);
});
afterAll(async () => {
  endPrograms();
  await api.close();
  await colloquy.close();
});

describe('a worker that is killed in the middle of a backfill', () => {
  it('leaves the rest to the next one, which repeats no finished page', { timeout: 120_000 }, async () => {
    colloquy.retell.faults.getDelayMs = 150;
    const accountId = await addAccount(colloquy, api);
    const first = await startWorkerProgram(colloquy.env);
    const before = await eventually(async () => {
      const progress = await progressOf(api, accountId);
      return progress.added >= CALLS / 2 && progress;
    }, 60);
    await first.end('SIGKILL');
    expect(before.status).toBe('running');
    const known = (await conversationsOf(colloquy, accountId)).length;
    colloquy.retell.faults.getDelayMs = 0;
    const listed = (): number => colloquy.retell.requests.filter(({ path }) => path.startsWith('/v3/list-')).length;
    const listsBefore = listed();
    await startWorkerProgram(colloquy.env);
    const progress = await backfilled(api, accountId, 90);
    const stored = await eventually(async () => {
      const found = await conversationsOf(colloquy, accountId);
      return found.length === CALLS && found.every(({ record_state }) => record_state === 'settled') && found;
    }, 30);
    expect(new Set(stored.map(({ hash }) => hash)).size).toBe(CALLS);
    expect(progress.checked).toBe(CALLS);
    expect(known).toBeLessThan(CALLS);
    // Only requests that were in progress are repeated.
    for (const kind of ['get', 'audio'] as const) {
      const counts = requestCounts(colloquy, calls, kind);
      expect([...counts.keys()].every((times) => times === 1 || times === 2)).toBe(true);
      expect(counts.get(2) ?? 0).toBeLessThanOrEqual(LANES);
    }
    const pages = 2 * 30;
    expect(listed() - listsBefore).toBeLessThan(pages);
  });
});
