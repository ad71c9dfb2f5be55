import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { install, type Installation } from '../support/installation.js';

let colloquy: Installation;

beforeAll(async () => {
  colloquy = await install({ deadlines: { audio: 600 } });
  await colloquy.startWorker();
});
afterAll(() => colloquy.close());

it('is fetched although its conversation has settled and Temporal has forgotten the workflow that waited for it', async () => {
  const { call_id: callId } = colloquy.retell.addCall({}, 'further recording');
  colloquy.finish(callId);
  const link = colloquy.retell.calls.get(callId)?.recording_url ?? '';
  colloquy.retell.calls.update(callId, { scrubbed_recording_url: `${link}-not-yet` });
  await colloquy.send('call_analyzed', callId);
  const { id } = await colloquy.call(callId, ({ record_state, unfetched }) => record_state === 'settled' && unfetched);
  await colloquy.stopWorkers();
  await (await colloquy.workflow(callId)).terminate('as if it had never been');
  // The provider's current record; the webhook causes no command, because the workflow knows this variant already.
  colloquy.retell.calls.update(callId, { scrubbed_recording_url: link });
  await colloquy.send('call_analyzed', callId);
  await colloquy.startWorker();
  await eventually(async () => (await colloquy.store.recordings(id)).length === 2);
  expect(await colloquy.call(callId)).toMatchObject({ record_state: 'settled', unfetched: false });
});
