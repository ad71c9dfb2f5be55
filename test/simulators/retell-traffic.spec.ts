// Traffic and webhooks of the simulated Retell, received by a plain HTTP server.
import Retell from 'retell-sdk';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startRetellSimulator, type RetellSimulator } from '../../simulators/retell/index.js';
import { RetellTraffic, type RetellTrafficOptions } from '../../simulators/retell/traffic.js';
import { startReceiver, type Received, type Receiver } from './receiver.js';

const apiKey = 'key_traffic';
let simulator: RetellSimulator;
let receiver: Receiver;

beforeEach(async () => {
  simulator = await startRetellSimulator({ apiKey, webhooks: { retryDelaysMs: [5, 5, 5] } });
  receiver = await startReceiver();
});

afterEach(async () => {
  await simulator.close();
  await receiver.close();
});

const traffic = (options: Partial<RetellTrafficOptions>) =>
  new RetellTraffic({
    simulator,
    webhookUrl: receiver.url,
    seed: 'spec',
    perMinute: 60_000,
    speed: 2000,
    history: 0,
    transcriptUpdates: false,
    disorder: 0,
    chats: 0,
    maxConversations: 40,
    ...options,
  });

const byCall = (received: readonly Received[]) => {
  const events = new Map<string, Received[]>();
  for (const webhook of received) events.set(webhook.id, [...(events.get(webhook.id) ?? []), webhook]);
  return events;
};
const untransferred = (events: readonly string[]) => events.filter((event) => !event.startsWith('transfer_'));
const names = (webhooks: readonly Received[]) => webhooks.map((webhook) => webhook.event);

describe('RetellTraffic', () => {
  it('announces each call from start to analysis, signed, never in the future', async () => {
    const running = traffic({});
    running.start();
    await running.idle();
    expect(running.counts).toEqual({ conversations: 40, delivered: receiver.received.length, failed: 0, withheld: 0 });
    const calls = byCall(receiver.received);
    expect(calls.size).toBe(40);
    for (const webhooks of calls.values()) {
      const isConnected = webhooks.some(({ document }) => document['start_timestamp'] !== undefined);
      expect(untransferred(names(webhooks)).sort()).toEqual([
        'call_analyzed',
        'call_ended',
        ...(isConnected ? ['call_started'] : []),
      ]);
      for (const { event, document } of webhooks) {
        if (!event.startsWith('transfer_')) expect('call_analysis' in document).toBe(event === 'call_analyzed');
      }
      const starts = new Set(webhooks.map(({ document }) => document['start_timestamp']));
      expect(starts.size).toBe(1);
      for (const { raw, signature, document, event } of webhooks) {
        expect(await Retell.verify(raw, apiKey, signature)).toBe(true);
        for (const time of ['start_timestamp', 'end_timestamp', 'transfer_end_timestamp']) {
          expect(Number(document[time] ?? 0), event).toBeLessThanOrEqual(Date.now());
        }
      }
    }
  });

  it('sends the same data after the end as its API', async () => {
    const running = traffic({ maxConversations: 10, seed: 'same' });
    running.start();
    await running.idle();
    const client = new Retell({ apiKey, baseURL: simulator.baseUrl });
    for (const { event, id, document } of receiver.received) {
      if (event !== 'call_analyzed' || document['data_storage_setting'] !== 'everything') continue;
      const { transfer_end_timestamp: _, ...known } = await client.call.retrieve(id);
      expect(known).toEqual({ ...document, transfer_end_timestamp: undefined });
    }
  });

  it('begins with a history that is announced at once', async () => {
    const running = traffic({ history: 12, maxConversations: 0 });
    running.start();
    await running.idle();
    expect(byCall(receiver.received).size).toBe(12);
    expect(names(receiver.received).filter((event) => event === 'call_analyzed')).toHaveLength(12);
  });

  it('sends the growing transcript if enabled', async () => {
    const running = traffic({ transcriptUpdates: true, maxConversations: 6, speed: 200 });
    running.start();
    await running.idle();
    const updates = receiver.received.filter(({ event }) => event === 'transcript_updated');
    expect(updates.length).toBeGreaterThan(6);
    expect(
      updates.every(
        ({ document }) => document['call_status'] === 'ongoing' && typeof document['transcript'] === 'string',
      ),
    ).toBe(true);
  });

  it('duplicates, reorders and omits webhooks if disorder is set', async () => {
    const running = traffic({ disorder: 1, maxConversations: 60, seed: 'disorder' });
    running.start();
    await running.idle();
    const connected = receiver.received.filter(({ document }) => document['start_timestamp'] !== undefined);
    const sequences = [...byCall(connected).values()].map((webhooks) => untransferred(names(webhooks)));
    const has = (test: (events: string[]) => boolean) => expect(sequences.some(test)).toBe(true);
    has((events) => events.at(-1) === 'call_ended');
    has((events) => events.filter((event) => event === 'call_ended').length === 2);
    has((events) => !events.includes('call_started'));
  });

  it('ends a call early if it is stopped over the API', async () => {
    const running = traffic({ speed: 1, maxConversations: 3, seed: 'stop' });
    running.start();
    await expect.poll(() => receiver.received.length, { timeout: 20_000 }).toBeGreaterThan(0);
    const id = receiver.received[0]?.id ?? '';
    await new Retell({ apiKey, baseURL: simulator.baseUrl }).call.stop(id);
    const endOf = () => receiver.received.find(({ event, id: of }) => event === 'call_ended' && of === id);
    await expect
      .poll(endOf, { timeout: 10_000 })
      .toMatchObject({ document: { disconnection_reason: 'manual_stopped' } });
    await running.stop();
  });
});

describe('transfers, chats and dialling', () => {
  it('announces transfers from start to end', async () => {
    const running = traffic({ maxConversations: 120, seed: 'transfers' });
    running.start();
    await running.idle();
    const told = [...byCall(receiver.received).values()].map((webhooks) =>
      names(webhooks)
        .filter((event) => event.startsWith('transfer_'))
        .sort(),
    );
    expect(told).toContainEqual(['transfer_bridged', 'transfer_ended', 'transfer_started']);
    expect(told).toContainEqual(['transfer_bridged', 'transfer_started']);
    const started = receiver.received.find(({ event }) => event === 'transfer_started');
    expect(started?.document).toMatchObject({
      call_status: 'ongoing',
      transfer_destination: expect.stringMatching(/^\+1/),
      transfer_option: { type: expect.stringMatching(/_transfer$/) },
    });
  });

  it('has chats besides calls, and the official client reads them', async () => {
    const running = traffic({ maxConversations: 20, chats: 0.5, seed: 'chats' });
    running.start();
    await running.idle();
    const chats = byCall(receiver.received.filter(({ event }) => event.startsWith('chat_')));
    expect(chats.size).toBeGreaterThan(4);
    const client = new Retell({ apiKey, baseURL: simulator.baseUrl });
    for (const [id, webhooks] of chats) {
      expect(names(webhooks).sort()).toEqual(['chat_analyzed', 'chat_ended', 'chat_started']);
      const last = webhooks.find(({ event }) => event === 'chat_analyzed');
      expect(await client.chat.retrieve(id)).toEqual(last?.document);
    }
  });

  it('registers calls while they are dialled', async () => {
    const running = traffic({ speed: 50, maxConversations: 30, seed: 'dial' });
    running.start();
    const statuses = () => simulator.calls.heads().map(({ head }) => head.call_status);
    await expect.poll(statuses, { timeout: 10_000, interval: 5 }).toContain('registered');
    await running.stop();
  });
});

describe('faults of webhooks', () => {
  it('duplicates, omits and delays a share of them, and rewrites records', async () => {
    Object.assign(simulator.faults.webhooks, { duplicated: 0.3, missing: 0.2, late: 0.3, lateMs: 200 });
    Object.assign(simulator.faults.rewrites, { share: 0.5, afterMs: 5 });
    const running = traffic({ maxConversations: 40 });
    running.start();
    await running.idle();
    const calls = [...byCall(receiver.received).values()].map(names);
    expect(running.counts.withheld).toBeGreaterThan(5);
    expect(calls.some((events) => new Set(events).size < events.length)).toBe(true);
    expect(calls.some((events) => events.indexOf('call_started') > events.indexOf('call_ended'))).toBe(true);
    expect(receiver.received.some(({ raw }) => raw.includes('(corrected)'))).toBe(true);
  });
});

describe('webhooks', () => {
  it('are retried with a new signature until they are accepted', async () => {
    simulator.addCompleteCall({ call_id: 'call_1' });
    receiver.statuses.push(500, 404, 302, 202);
    const delivery = await simulator.sender.send(receiver.url, simulator.webhookBody('call_ended', 'call_1'));
    expect(delivery).toEqual({ status: 202, attempts: 4 });
    for (const { raw, signature } of receiver.received) expect(await Retell.verify(raw, apiKey, signature)).toBe(true);
  });

  it('are given up after three retries', async () => {
    receiver.statuses.push(500, 500, 500, 503, 200);
    simulator.addCompleteCall({ call_id: 'call_1' });
    const body = simulator.webhookBody('call_ended', 'call_1');
    expect(await simulator.sender.send(receiver.url, body)).toEqual({ status: 503, attempts: 4 });
    expect(await simulator.sender.send('http://127.0.0.1:1/', body)).toEqual({ status: 0, attempts: 4 });
  });

  it('can be sent manually with any body', async () => {
    simulator.addCompleteCall({ call_id: 'call_1' });
    expect(await simulator.deliver(receiver.url, 'call_ended', 'call_1', { times: 3 })).toBe(200);
    expect(new Set(receiver.received.map(({ raw }) => raw)).size).toBe(1);
    const odd = { event: 'call_new', call: { call_id: 'other', call_status: 'x' } };
    await simulator.deliver(receiver.url, 'ignored', 'other', { body: odd, secret: 'wrong', atMs: 5 });
    expect(receiver.received.at(-1)).toMatchObject({
      raw: JSON.stringify(odd),
      signature: expect.stringMatching(/^v=5,d=/),
    });
    await simulator.deliver(receiver.url, 'call_ended', 'call_1', { signature: null });
    expect(receiver.received.at(-1)?.signature).toBe('undefined');
  });
});
