import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { retell } from '../../src/providers/retell/index.js';
import { egressTo } from '../support/egress.js';
import { install, type Installation } from '../support/installation.js';
import type { StoredConversation } from '../support/stored-conversation.js';

let colloquy: Installation;

beforeAll(async () => {
  colloquy = await install({ deadlines: { analysis: 20, transcript: 20, audio: 20 } });
  await colloquy.startWorker();
});
afterAll(() => colloquy.close());

const chat = (
  providerId: string,
  fits: (conversation: StoredConversation) => boolean = () => true,
): Promise<StoredConversation> =>
  colloquy.conversationOf({ accountId: colloquy.accountId, kind: 'chat', providerId }, fits);
const settled = (id: string): Promise<StoredConversation> => chat(id, ({ record_state: state }) => state === 'settled');

const requestsTo = (path: string): number => colloquy.retell.requests.filter((request) => request.path === path).length;

describe.concurrent('a chat at Retell', () => {
  it('settles with transcript and analysis, without waiting for audio', async () => {
    const { chat_id: id } = colloquy.retell.chats.add({}, 'a chat');
    await colloquy.send('chat_started', id);
    expect(await chat(id)).toMatchObject({ status: 'active', channel: 'chat', direction: null });
    colloquy.retell.chats.end(id);
    colloquy.retell.chats.analyze(id);
    await colloquy.send('chat_ended', id);
    const conversation = await settled(id);
    expect(conversation).toMatchObject({
      status: 'completed',
      end_category: 'unknown',
      analysis_state: 'present',
      transcript_state: 'present',
      audio_state: 'absent',
      audio_reason: 'text_only',
    });
    expect((await colloquy.store.turns(conversation.id)).length).toBeGreaterThan(0);
    expect(requestsTo(`/get-chat/${id}`)).toBeGreaterThan(0);
    expect(requestsTo(`/v2/get-call/${id}`)).toBe(0);
  });

  it('is a different conversation from a call with the same id', async () => {
    const { call_id: id } = colloquy.retell.addCompleteCall({}, 'the same id');
    await colloquy.send('call_analyzed', id);
    const call = await colloquy.settled(id);
    colloquy.retell.chats.addComplete({ chat_id: id }, 'the same id');
    await colloquy.send('chat_analyzed', id);
    const other = await settled(id);
    expect(other.id).not.toBe(call.id);
    expect([call.channel, other.channel]).toEqual(['phone', 'chat']);
  });

  it('is in the list of chats', async () => {
    const { chat_id: id } = colloquy.retell.chats.addComplete({}, 'listed');
    const live = colloquy.retell.chats.add({}, 'listed live').chat_id;
    const { apiKey, baseUrl } = colloquy.retell;
    const egress = egressTo([baseUrl]);
    const list = async (isLive: boolean): Promise<Map<string, boolean>> => {
      const query = { providerKind: 'chat', from: null, to: null, live: isLive, cursor: null };
      const { items } = await retell.list({ apiKey, baseUrl, webhookSecret: null, egress }, query);
      return new Map(items.map(({ providerId, isOver }) => [providerId, isOver]));
    };
    const all = await list(false);
    expect([all.get(id), all.get(live)]).toEqual([true, false]);
    const onlyLive = await list(true);
    expect([onlyLive.get(id), onlyLive.get(live)]).toEqual([undefined, false]);
  });
});
