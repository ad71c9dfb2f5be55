// Chats of the simulated Retell, through the official client.
import Retell, { BadRequestError, NotFoundError } from 'retell-sdk';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  completeChat,
  startRetellSimulator,
  type RetellChat,
  type RetellSimulator,
} from '../../simulators/retell/index.js';

const apiKey = 'key_chats';
let simulator: RetellSimulator;
let client: Retell;

beforeEach(async () => {
  simulator = await startRetellSimulator({ apiKey });
  client = new Retell({ apiKey, baseURL: simulator.baseUrl, maxRetries: 0 });
});

afterEach(() => simulator.close());

const told = (event: string, id: string) =>
  (JSON.parse(simulator.webhookBody(event, id)) as { event: string; chat: RetellChat }).chat;

describe('chat', () => {
  it('goes from ongoing to analysed, with the fields of each state', async () => {
    const { chat_id: id } = simulator.chats.add({ chat_type: 'sms_chat' });
    expect(await client.chat.retrieve(id)).toMatchObject({ chat_status: 'ongoing', chat_type: 'sms_chat' });
    await client.chat.end(id);
    const ended = await client.chat.retrieve(id);
    expect(ended).toMatchObject({ chat_status: 'ended', chat_type: 'sms_chat' });
    expect(ended).not.toHaveProperty('chat_analysis');
    expect(ended.message_with_tool_calls?.length).toBeGreaterThan(1);
    expect(ended.end_timestamp).toBeLessThanOrEqual(Date.now());
    simulator.chats.analyze(id);
    expect((await client.chat.retrieve(id)).chat_analysis?.chat_summary).toBeTypeOf('string');
    await expect(client.chat.end(id)).rejects.toBeInstanceOf(BadRequestError);
  });

  it('has messages with ids and times, none of them after the end', () => {
    for (let index = 0; index < 30; index += 1) {
      const chat = completeChat(`chat ${index}`);
      const times = (chat.message_with_tool_calls ?? []).map((message) => message.created_timestamp);
      expect(times).toEqual([...times].sort((a, b) => a - b));
      expect(times[0]).toBeGreaterThanOrEqual(chat.start_timestamp ?? Infinity);
      expect(times.at(-1)).toBeLessThanOrEqual(chat.end_timestamp ?? 0);
    }
    expect(completeChat('same')).toEqual(completeChat('same'));
  });

  it('is announced by webhooks, later ones with more content', () => {
    const { chat_id: id } = simulator.chats.addComplete();
    expect(told('chat_started', id)).not.toHaveProperty('end_timestamp');
    expect(told('chat_ended', id)).not.toHaveProperty('chat_analysis');
    expect(told('chat_analyzed', id)).toHaveProperty('chat_analysis.chat_successful');
  });

  it('is listed without its messages, filtered and page by page', async () => {
    for (let index = 0; index < 5; index += 1) {
      simulator.chats.addComplete({ chat_id: `chat_${index}`, end_timestamp: 1_790_000_000_000 + index * 1_000_000 });
    }
    simulator.chats.add({ chat_id: 'chat_live' });
    const first = await client.chat.list({ limit: 2, sort_order: 'ascending' });
    expect(first.items?.map((chat) => chat.chat_id)).toEqual(['chat_0', 'chat_1']);
    expect(first.items?.[0]).not.toHaveProperty('message_with_tool_calls');
    const next = await client.chat.list({ limit: 9, sort_order: 'ascending', pagination_key: first.pagination_key });
    expect(next.items?.map((chat) => chat.chat_id)).toEqual(['chat_2', 'chat_3', 'chat_4', 'chat_live']);
    const live = await client.chat.list({
      filter_criteria: { chat_status: { type: 'enum', op: 'in', value: ['ongoing'] } },
    });
    expect(live.items?.map((chat) => chat.chat_id)).toEqual(['chat_live']);
  });

  it('is updated, analysed again and deleted', async () => {
    const { chat_id: id } = simulator.chats.addComplete();
    expect(await client.chat.update(id, { custom_attributes: { vip: true } })).toMatchObject({
      custom_attributes: { vip: true },
    });
    expect(await client.chat.rerunAnalysis(id)).toHaveProperty('chat_analysis');
    await client.chat.delete(id);
    await expect(client.chat.retrieve(id)).rejects.toBeInstanceOf(NotFoundError);
    await expect(client.chat.delete(id)).rejects.toBeInstanceOf(NotFoundError);
  });

  it('has its own agents', async () => {
    const { items } = await client.agent.list();
    const chatting = items?.find((agent) => agent.channel === 'chat')?.agent_id ?? '';
    expect(await client.chatAgent.retrieve(chatting)).toMatchObject({ agent_id: chatting });
    await expect(client.agent.retrieve(chatting)).rejects.toBeInstanceOf(NotFoundError);
  });
});
