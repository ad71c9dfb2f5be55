import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { install, type Installation } from '../support/installation.js';

let colloquy: Installation;

beforeAll(async () => {
  colloquy = await install({ deadlines: { silence: 1, ask_every: 1, analysis: 1, transcript: 1, audio: 1 } });
  await colloquy.startWorker();
});
afterAll(() => colloquy.close());

describe('a conversation whose provider account is deleted', () => {
  it('ends as lost, because nobody is left to ask, and accepts no more webhooks', async () => {
    const call = colloquy.retell.addCall();
    await colloquy.send('call_started', call.call_id);
    await colloquy.sql.query('update provider_accounts set deleted_at = now() where id = $1', [colloquy.accountId]);
    const lost = await colloquy.conversationWhen(({ record_state }) => record_state === 'settled');
    expect(lost).toMatchObject({ status: 'failed', end_category: 'lost' });
    const { rows } = await colloquy.sql.query("select reason from journal where action = 'conversation.ended'");
    expect(rows).toEqual([{ reason: 'provider_account_deleted' }]);
    // The webhook door caches an account for at most two seconds.
    const refused = () =>
      colloquy.send('call_ended', call.call_id).then(
        () => null,
        (error: { code: string }) => error.code,
      );
    expect(await eventually(refused)).toBe('not_found');
  });
});
