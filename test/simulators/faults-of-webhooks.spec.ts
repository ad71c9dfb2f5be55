// Every fault of webhooks, configured over HTTP, for every kind of conversation, as a receiver sees it.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KINDS, setFaults, type Simulated } from './kinds.js';
import { startReceiver, type Receiver } from './receiver.js';

let receiver: Receiver;
let simulated: Simulated;

beforeEach(async () => {
  receiver = await startReceiver();
});

afterEach(() => Promise.all([receiver.close(), simulated.close()]));

const names = () => receiver.received.map(({ id, event }) => `${id} ${event}`);

/** Runs conversations with these faults. */
async function happen(webhooks: object, options = {}) {
  await setFaults(simulated, { webhooks });
  const traffic = simulated.traffic(receiver.url, options);
  traffic.start();
  await traffic.idle();
  return traffic.counts;
}

describe.each(KINDS)('webhooks of $name', ({ start, events, lastEvent }) => {
  beforeEach(async () => {
    simulated = await start();
  });

  it('arrive twice if they are duplicated', async () => {
    await happen({ duplicated: 1 });
    const all = names();
    expect(all.filter((name) => all.filter((other) => other === name).length !== 2)).toEqual([]);
    expect(receiver.received).toHaveLength(2 * new Set(receiver.received.map(({ raw }) => raw)).size);
  });

  it('never arrive if they are missing, although the API has all conversations', async () => {
    const { withheld, conversations } = await happen({ missing: 1 });
    expect(receiver.received).toEqual([]);
    expect(withheld).toBeGreaterThanOrEqual(conversations);
    expect(simulated.documents()).toHaveLength(conversations);
  });

  it('arrive with the configured delay if they are late', async () => {
    const began = performance.now();
    const idle = happen({ late: 1, lateMs: 400 });
    await expect.poll(() => receiver.received.length, { interval: 5, timeout: 10_000 }).toBeGreaterThan(0);
    expect(performance.now() - began).toBeGreaterThan(400);
    const { delivered } = await idle;
    expect(delivered).toBe(receiver.received.length);
  });

  it('arrive out of order if some of them are late', async () => {
    await happen({ late: 0.5, lateMs: 200 });
    const orders = new Map<string, number[]>();
    for (const { id, event } of receiver.received) {
      if (events.includes(event)) orders.set(id, [...(orders.get(id) ?? []), events.indexOf(event)]);
    }
    const isOrdered = (order: number[]) =>
      order.every((place, index) => index === 0 || place >= (order[index - 1] ?? 0));
    expect([...orders.values()].every(isOrdered)).toBe(false);
  });

  it('are retried until they are accepted, and sent only once with noRetry', async () => {
    const often = () => names().filter((name) => name.endsWith(lastEvent)).length;
    receiver.statuses.push(...Array.from({ length: 500 }, () => 503));
    const { failed } = await happen({});
    expect(failed).toBeGreaterThan(0);
    const retried = often();
    receiver.received.length = 0;
    const once = await happen({ noRetry: true }, { seed: 'once' });
    expect(new Set(names()).size).toBe(names().length);
    expect(once).toMatchObject({ delivered: 0, failed: names().length });
    expect(retried).toBeGreaterThan(often());
  });
});
