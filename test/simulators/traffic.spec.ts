// Traffic and webhooks of the simulated Retell, received by a plain HTTP server.
import Retell from 'retell-sdk';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startRetellSimulator, type RetellSimulator } from '../../simulators/retell/index.js';
import { Traffic, type TrafficOptions } from '../../simulators/traffic.js';
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

const traffic = (options: Partial<TrafficOptions>) =>
  new Traffic({
    simulator,
    webhookUrl: receiver.url,
    seed: 'spec',
    callsPerMinute: 60_000,
    speed: 2000,
    history: 0,
    transcriptUpdates: false,
    disorder: 0,
    maxCalls: 40,
    ...options,
  });

const byCall = (received: readonly Received[]) => {
  const events = new Map<string, Received[]>();
  for (const webhook of received)
    events.set(webhook.call.call_id, [...(events.get(webhook.call.call_id) ?? []), webhook]);
  return events;
};
const names = (webhooks: readonly Received[]) => webhooks.map((webhook) => webhook.event);

describe('Traffic', () => {
  it('announces each call from start to analysis, signed, never in the future', async () => {
    const running = traffic({});
    running.start();
    await running.idle();
    expect(running.counts).toEqual({ calls: 40, delivered: receiver.received.length, failed: 0 });
    const calls = byCall(receiver.received);
    expect(calls.size).toBe(40);
    for (const webhooks of calls.values()) {
      const isConnected = webhooks.some(({ call }) => call['start_timestamp'] !== undefined);
      expect(names(webhooks).sort()).toEqual(['call_analyzed', 'call_ended', ...(isConnected ? ['call_started'] : [])]);
      for (const { event, call } of webhooks) expect('call_analysis' in call).toBe(event === 'call_analyzed');
      const starts = new Set(webhooks.map(({ call }) => call['start_timestamp']));
      expect(starts.size).toBe(1);
      for (const { raw, signature, call } of webhooks) {
        expect(await Retell.verify(raw, apiKey, signature)).toBe(true);
        for (const time of ['start_timestamp', 'end_timestamp', 'transfer_end_timestamp']) {
          expect(Number(call[time] ?? 0)).toBeLessThanOrEqual(Date.now());
        }
      }
    }
  });

  it('tells the same after the end as its API', async () => {
    const running = traffic({ maxCalls: 10, seed: 'same' });
    running.start();
    await running.idle();
    const client = new Retell({ apiKey, baseURL: simulator.baseUrl });
    for (const { event, call } of receiver.received) {
      if (event !== 'call_analyzed' || call['data_storage_setting'] !== 'everything') continue;
      expect(await client.call.retrieve(call.call_id)).toEqual(call);
    }
  });

  it('has the same calls for the same seed', async () => {
    const ids: string[][] = [];
    for (const seed of ['one', 'one', 'two']) {
      const own = await startRetellSimulator({ apiKey });
      const running = traffic({ simulator: own, seed, maxCalls: 5 });
      running.start();
      await running.idle();
      ids.push(
        own.calls
          .heads()
          .map(({ head }) => head.call_id)
          .sort(),
      );
      await own.close();
    }
    expect(ids[0]).toEqual(ids[1]);
    expect(ids[0]).not.toEqual(ids[2]);
  });

  it('begins with a history, announced at once', async () => {
    const running = traffic({ history: 12, maxCalls: 0 });
    running.start();
    await running.idle();
    expect(byCall(receiver.received).size).toBe(12);
    expect(names(receiver.received).filter((event) => event === 'call_analyzed')).toHaveLength(12);
  });

  it('tells the transcript as it grows, when asked to', async () => {
    const running = traffic({ transcriptUpdates: true, maxCalls: 6, speed: 200 });
    running.start();
    await running.idle();
    const updates = receiver.received.filter(({ event }) => event === 'transcript_updated');
    expect(updates.length).toBeGreaterThan(6);
    expect(updates.every(({ call }) => call.call_status === 'ongoing' && typeof call['transcript'] === 'string')).toBe(
      true,
    );
  });

  it('doubles, reorders and forgets, when disorderly', async () => {
    const running = traffic({ disorder: 1, maxCalls: 60, seed: 'disorder' });
    running.start();
    await running.idle();
    const connected = receiver.received.filter(({ call }) => call['start_timestamp'] !== undefined);
    const sequences = [...byCall(connected).values()].map(names);
    const has = (test: (events: string[]) => boolean) => expect(sequences.some(test)).toBe(true);
    has((events) => events.at(-1) === 'call_ended');
    has((events) => events.filter((event) => event === 'call_ended').length === 2);
    has((events) => !events.includes('call_started'));
  });

  it('ends a call early, when it is stopped over the API', async () => {
    const running = traffic({ speed: 1, maxCalls: 3, seed: 'stop' });
    running.start();
    await expect.poll(() => receiver.received.length, { timeout: 20_000 }).toBeGreaterThan(0);
    const id = receiver.received[0]?.call.call_id ?? '';
    await new Retell({ apiKey, baseURL: simulator.baseUrl }).call.stop(id);
    const endOf = () => receiver.received.find(({ event, call }) => event === 'call_ended' && call.call_id === id);
    await expect.poll(endOf, { timeout: 10_000 }).toMatchObject({ call: { disconnection_reason: 'manual_stopped' } });
    await running.stop();
  });
});

describe('webhooks', () => {
  it('are sent again, freshly signed, until they are accepted', async () => {
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

  it('are delivered by hand in any shape', async () => {
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
