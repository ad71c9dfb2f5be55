import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { startApi, type Api } from '../support/api.js';
import { eventually, install, type Installation } from '../support/installation.js';
import {
  addAccount,
  addPast,
  backfilled,
  conversationsOf,
  progressOf,
  requestCounts,
  sendTo,
  startedConversations,
} from './account.js';

/** At full size it is part of the battery: `npm run battery -- test/battery/past.whole.ts`. */
const CALLS = inject('battery') === 'whole' ? 5_000 : 300;
const SECONDS = 30 + CALLS / 5;

let colloquy: Installation;
let api: Api;
let calls: string[];

beforeAll(
  async () => {
    colloquy = await install({ env: { COLLOQUY_PROVIDER_RATE: '2000' } });
    api = await startApi(colloquy);
    calls = addPast(colloquy, CALLS, 29);
  },
  60_000 + CALLS * 20,
);
afterAll(async () => {
  await api.close();
  await colloquy.close();
});

describe("an account's past", () => {
  it(
    'is imported completely and once, while webhooks arrive for the same calls',
    { timeout: (SECONDS + 30) * 1000 },
    async () => {
      const accountId = await addAccount(colloquy, api);
      expect(await progressOf(api, accountId)).toMatchObject({ status: 'pending', checked: 0, added: 0 });
      const from = Date.now();
      await colloquy.startWorker();
      // Webhooks for every third call, which the backfill may or may not know already.
      let sent = 0;
      let isDone = false;
      const webhooks = (async (): Promise<void> => {
        for (let index = calls.length - 1; index >= 0 && !isDone; index -= 3) {
          await sendTo(colloquy, accountId, 'call_analyzed', calls[index] ?? '');
          sent += 1;
        }
      })();
      const progress = await backfilled(api, accountId, SECONDS);
      const seconds = (Date.now() - from) / 1000;
      isDone = true;
      await webhooks;
      const byBackfill = progress.added;
      process.stderr.write(
        `backfill: ${CALLS} calls in ${seconds.toFixed(1)} s, ${(CALLS / seconds).toFixed(0)} a second, ` +
          `${byBackfill} by the list, ${sent} webhooks beside it\n`,
      );
      const stored = await eventually(async () => {
        const found = await conversationsOf(colloquy, accountId);
        return found.every(({ record_state }) => record_state === 'settled') && found;
      }, SECONDS);
      expect(stored).toHaveLength(CALLS);
      expect(new Set(stored.map(({ hash }) => hash)).size).toBe(CALLS);
      expect(stored.every(({ audio_state }) => audio_state === 'present')).toBe(true);
      expect(progress).toMatchObject({ checked: CALLS, skipped: 0, last_error: null });
      expect(requestCounts(colloquy, calls, 'get')).toEqual(new Map([[1, CALLS]]));
      expect(requestCounts(colloquy, calls, 'audio')).toEqual(new Map([[1, CALLS]]));
      expect(colloquy.recordingFiles()).toHaveLength(CALLS);
      // Conversations that were complete needed no workflow.
      expect(await startedConversations(colloquy)).toBeLessThanOrEqual(CALLS - byBackfill);
    },
  );
});
