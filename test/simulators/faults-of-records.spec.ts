// Records that are late, change, lag or are odd: configured over HTTP, for every kind of conversation.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { documentOf, KINDS, listOf, setFaults, type Simulated } from './kinds.js';
import { startReceiver, type Receiver } from './receiver.js';

const MINUTE = 60_000;
let nowMs: number;
let receiver: Receiver;
let simulated: Simulated;

beforeEach(async () => {
  nowMs = Date.now();
  receiver = await startReceiver();
});

afterEach(() => Promise.all([receiver.close(), simulated.close()]));

/** A conversation that has just ended. */
function ended(): string {
  const id = simulated.addLive();
  simulated.end(id);
  return id;
}

describe.each(KINDS)('the record of $name', ({ start, analysis, status }) => {
  beforeEach(async () => {
    simulated = await start({ clock: () => nowMs });
  });

  it('gets its analysis after the configured delay', async () => {
    await setFaults(simulated, { lateAnalysisMs: MINUTE });
    const id = ended();
    nowMs += MINUTE - 1;
    expect((await documentOf(simulated, id))[analysis] ?? null).toBeNull();
    nowMs += 1;
    expect((await documentOf(simulated, id))[analysis]).toBeTypeOf('object');
  });

  it('appears in lists with the configured lag', async () => {
    const statuses = async () => (await listOf(simulated)).map((item) => item[status]);
    await setFaults(simulated, { listLagMs: MINUTE });
    const id = simulated.addLive();
    nowMs += MINUTE - 1;
    expect(await statuses()).toEqual([]);
    nowMs += 1;
    const [live] = await statuses();
    expect(live).toBe((await documentOf(simulated, id))[status]);
    nowMs += 10 * MINUTE;
    simulated.end(id);
    simulated.finish(id);
    const { [status]: over } = await documentOf(simulated, id);
    nowMs += MINUTE - 1;
    expect(await statuses()).toEqual([live]);
    nowMs += 1;
    expect(await statuses()).toEqual([over]);
    expect(over).not.toBe(live);
  });
});

describe.each(KINDS.filter(({ isSpoken }) => isSpoken))('the recording of $name', ({ start }) => {
  beforeEach(async () => {
    simulated = await start({ clock: () => nowMs });
  });

  it('is available after the configured delay', async () => {
    await setFaults(simulated, { lateAudioMs: MINUTE });
    const id = ended();
    simulated.finish(id);
    nowMs += MINUTE - 1;
    expect((await simulated.hear(id)).status).toBe(404);
    nowMs += 1;
    expect((await simulated.hear(id)).status).toBe(200);
  });

  it('is available until its link expires', async () => {
    await setFaults(simulated, { linkLifetimeMs: MINUTE });
    const id = simulated.addComplete();
    nowMs += MINUTE - 1;
    expect((await simulated.hear(id)).status).toBe(200);
    nowMs += 1;
    // ElevenLabs has no links.
    expect((await simulated.hear(id)).status).toBe(id.startsWith('call_') ? 403 : 200);
  });
});

describe.each(KINDS)('traffic of $name', ({ start, lastEvent, odd }) => {
  const CHANGED = /\((corrected|analysis 2)\)/;
  const happen = async (faults: object, maxConversations = 4) => {
    await setFaults(simulated, faults);
    const traffic = simulated.traffic(receiver.url, { maxConversations });
    traffic.start();
    await traffic.idle();
  };
  const textsOf = (webhooks: { id: string }[]) =>
    Promise.all(webhooks.map(async ({ id }) => (await simulated.get(id)).text()));
  const last = () => receiver.received.filter(({ event }) => event === lastEvent);

  beforeEach(async () => {
    simulated = await start();
  });

  it('announces a late analysis once it is available', async () => {
    const began = performance.now();
    const idle = happen({ lateAnalysisMs: 400 });
    await expect.poll(() => last().length, { interval: 5, timeout: 10_000 }).toBeGreaterThan(0);
    expect(performance.now() - began).toBeGreaterThan(400);
    await idle;
  });

  it('finishes conversations with a late analysis that ended before a restart', async () => {
    await setFaults(simulated, { lateAnalysisMs: 10 });
    const id = ended();
    await happen({}, 0);
    expect(last().map((webhook) => webhook.id)).toEqual([id]);
  });

  it('announces the rest of its history after a restart', async () => {
    const first = simulated.traffic(receiver.url, { history: 20, maxConversations: 0 });
    first.start();
    await expect.poll(() => receiver.received.length, { interval: 1, timeout: 10_000 }).toBeGreaterThan(0);
    await first.stop();
    const known = simulated.documents().map(([id]) => id);
    expect(new Set(receiver.received.map(({ id }) => id)).size).toBeLessThan(known.length);
    const second = simulated.traffic(receiver.url, { maxConversations: 0 });
    second.start();
    await second.idle();
    const told = receiver.received.filter(({ event }) => event === lastEvent || event === 'call_initiation_failure');
    expect(new Set(told.map(({ id }) => id))).toEqual(new Set(known));
  });

  it('rewrites records, and announces it', async () => {
    await happen({ rewrites: { share: 1, afterMs: 20 } });
    const told = last();
    const again = told.filter(({ raw }) => CHANGED.test(raw));
    expect(again.length).toBeGreaterThan(0);
    expect(told).toHaveLength(2 * again.length);
    expect(await textsOf(again)).toContainEqual(expect.stringMatching(CHANGED));
  });

  it('rewrites records silently if configured', async () => {
    await happen({ rewrites: { share: 1, afterMs: 20, webhook: false } });
    const told = last();
    expect(told.filter(({ raw }) => CHANGED.test(raw))).toEqual([]);
    expect(await textsOf(told)).toContainEqual(expect.stringMatching(CHANGED));
  });

  it.each(['unknown_field', 'unknown_value', 'null'] as const)(
    'has the oddity %s, in webhooks and over HTTP',
    async (oddity) => {
      await happen({ oddities: [oddity] });
      const told = last();
      expect(told.length).toBeGreaterThan(0);
      for (const text of [...told.map(({ raw }) => raw), ...(await textsOf(told))]) expect(text).toContain(odd[oddity]);
    },
  );
});
