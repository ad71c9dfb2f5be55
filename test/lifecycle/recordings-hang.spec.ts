// A host of recordings that never finishes its responses, for more recordings than a worker has activity slots.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { publicId } from '../../src/common/ids.js';
import { seedAccount, seedClient } from '../support/accounts.js';
import { sendTo } from '../reconciliation/account.js';
import { eventually, install, type Installation } from '../support/installation.js';
import { startSlowHost, type SlowHost } from '../support/slow-host.js';

/** More than the slots for conversations, a hundred. */
const HANGING = 130;

let colloquy: Installation;
let host: SlowHost;

beforeAll(async () => {
  colloquy = await install({ env: { COLLOQUY_PROVIDER_RATE: '2000' } });
  host = await startSlowHost(Buffer.alloc(64_000));
  colloquy.allow(host.url);
  await colloquy.startWorker();
  const { apiKey: api_key, baseUrl: base_url } = colloquy.retell;
  const accountId = publicId('providerAccount', await colloquy.addAccount({ provider: 'retell', api_key, base_url }));
  const fields = { recording_url: host.url, recording_multi_channel_url: undefined };
  for (let count = 0; count < HANGING; count += 1)
    await sendTo(colloquy, accountId, 'call_ended', colloquy.retell.addCompleteCall(fields).call_id);
  await eventually(async () => host.requests >= 4, 40);
}, 60_000);
afterAll(async () => {
  host.release();
  await colloquy.close();
  await host.close();
});

describe('downloads that hang', () => {
  it('delay neither the end nor the record of another conversation', async () => {
    const { callId } = await colloquy.liveCall();
    colloquy.finish(callId);
    const from = Date.now();
    await colloquy.send('call_ended', callId);
    // Which only its record contains.
    const ended = await colloquy.call(callId, (one) => one.analysis_state === 'present');
    expect(ended).toMatchObject({ status: 'completed', transcript_state: 'present' });
    expect(Date.now() - from).toBeLessThan(10_000);
  });

  it('delay no recording of another client', async () => {
    const { apiKey: api_key, baseUrl: base_url } = colloquy.retell;
    const accountId = await seedAccount(colloquy, await seedClient(colloquy), {
      provider: 'retell',
      api_key,
      base_url,
    });
    const { call_id: callId } = colloquy.retell.addCompleteCall({});
    await sendTo(colloquy, publicId('providerAccount', accountId), 'call_ended', callId);
    const stored = async (): Promise<number> => {
      const text = "select 1 from conversations where provider_account_id = $1 and audio_state = 'present'";
      return (await colloquy.sql.query(text, [accountId])).rows.length;
    };
    await eventually(async () => (await stored()) === 1, 8);
  });

  it('delay no workflow that has nothing to download', async () => {
    const { call_id: callId } = colloquy.retell.addCompleteCall({ disconnection_reason: 'dial_no_answer' });
    await colloquy.send('call_ended', callId);
    const { id } = await colloquy.settled(callId);
    const handle = colloquy.temporal.workflow.getHandle(`conversation/${publicId('conversation', id)}`);
    const status = await eventually(async () => {
      const { status: now } = await handle.describe();
      return now.name !== 'RUNNING' && now.name;
    }, 10);
    expect(status).toBe('COMPLETED');
  });
});
