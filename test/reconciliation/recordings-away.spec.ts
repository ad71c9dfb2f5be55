// The host of recordings fails during a backfill: a recording that is only late must not be declared absent.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApi, type Api } from '../support/api.js';
import { eventually, install, type Installation } from '../support/installation.js';
import { addAccount, backfilled, conversationOf, startedConversations, type StoredCall } from './account.js';

/** Attempts of a backfill before it gives up. */
const TRIES = 6;
const TWO_DAYS_MS = 2 * 86_400_000;

let colloquy: Installation;
let api: Api;

beforeAll(async () => {
  colloquy = await install({ env: { COLLOQUY_PROVIDER_RATE: '2000' } });
  api = await startApi(colloquy);
  // So that its tries follow each other without a pause.
  colloquy.retell.faults.retryAfterSeconds = 0;
  await colloquy.startWorker();
});
afterAll(async () => {
  await api.close();
  await colloquy.close();
});

/** A finished call whose recording's deadline has long passed. */
const oldCall = (seed: string, fields: object = {}): string =>
  colloquy.retell.addCompleteCall({ end_timestamp: Date.now() - TWO_DAYS_MS, ...fields }, seed).call_id;

async function broughtIn(callId: string): Promise<StoredCall> {
  const accountId = await addAccount(colloquy, api, { backfill_days: 3 });
  expect(await backfilled(api, accountId)).toMatchObject({ added: 1, skipped: 0, last_error: null });
  const settled = await eventually(async () => {
    const found = await conversationOf(colloquy, accountId, callId);
    return found?.record_state === 'settled' && found;
  });
  colloquy.retell.calls.remove(callId);
  return settled;
}

const variantsOf = async ({ id }: StoredCall): Promise<string[]> => {
  const text = 'select variant from recordings where conversation_id = $1 order by variant';
  return (await colloquy.sql.query<{ variant: string }>(text, [id])).rows.map(({ variant }) => variant);
};

describe('an old recording that a backfill cannot fetch', () => {
  it("is left to the conversation's workflow if a later attempt may succeed", async () => {
    colloquy.retell.faults.audioStatus = Array.from({ length: TRIES }, () => 503);
    const call = await broughtIn(oldCall('away'));
    expect(call.audio_state).toBe('present');
  });

  it('is left to the workflow with all other variants, even if only one is missing', async () => {
    colloquy.retell.faults.audioStatus = [200, ...Array.from({ length: TRIES }, () => 503)];
    const callId = oldCall('two variants');
    const url = colloquy.retell.calls.get(callId)?.recording_url;
    colloquy.retell.calls.update(callId, { scrubbed_recording_url: url });
    const call = await broughtIn(callId);
    await eventually(async () => (await variantsOf(call)).join() === 'mixed,redacted');
  });

  it('is left to the workflow if the call has just ended and its recording is not uploaded yet', async () => {
    const callId = oldCall('uploading', { end_timestamp: Date.now() });
    colloquy.retell.faults.audio404Until.set(callId, Date.now() + 2_000);
    const call = await broughtIn(callId);
    expect(call.audio_state).toBe('present');
  });

  it("is absent at once, with the provider's reason, if its answer is final", async () => {
    const before = await startedConversations(colloquy);
    const callId = oldCall('expired');
    colloquy.retell.faults.recordingExpiresAt.set(callId, Date.now());
    const call = await broughtIn(callId);
    const text = 'select audio_state, audio_reason from conversations where id = $1';
    expect((await colloquy.sql.query(text, [call.id])).rows).toEqual([
      { audio_state: 'absent', audio_reason: 'provider_answered_403' },
    ]);
    expect(await startedConversations(colloquy)).toBe(before);
  });
});
