// The same seed gives the same documents, webhooks and faults, however busy the machine is.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KINDS, setFaults, type Kind } from './kinds.js';
import { startReceiver, type Receiver } from './receiver.js';

const faults = {
  webhooks: { duplicated: 0.3, missing: 0.2, late: 0.2, lateMs: 20 },
  rewrites: { share: 0.3, afterMs: 5 },
};
let receiver: Receiver;

beforeEach(async () => {
  receiver = await startReceiver();
});

afterEach(() => receiver.close());

/** A document without port and wall-clock times (one of them is present only once it has passed). */
function timeless(document: Record<string, unknown>): string {
  const { transfer_end_timestamp: _, ...rest } = document;
  const isTime = (value: number) => [value, value / 1000].some((seconds) => seconds > 1.6e9 && seconds < 2.2e9);
  const text = JSON.stringify(rest, (__, value: unknown) =>
    typeof value === 'number' && isTime(value) ? 'time' : value,
  );
  return text.replaceAll(/127\.0\.0\.1:\d+/g, 'simulator');
}

/** Everything generated from a seed: stored documents, webhooks, and their faults. */
async function outcomeOf({ start }: Kind, seed: string) {
  const simulated = await start();
  await setFaults(simulated, faults);
  const traffic = simulated.traffic(receiver.url, {
    seed,
    transcriptUpdates: true,
    history: 3,
    disorder: 0.3,
    maxConversations: 7,
  });
  traffic.start();
  await traffic.idle();
  await simulated.close();
  // The webhook at the end of a transfer may or may not contain the analysis, depending on timing.
  const told = receiver.received
    .splice(0)
    .map(({ event, id, document }) => `${id} ${event} ${event === 'transfer_ended' ? '' : timeless(document)}`);
  return {
    held: simulated
      .documents()
      .map(([id, document]) => `${id} ${timeless(document)}`)
      .sort(),
    told: told.sort(),
    hits: traffic.hits.map(({ id, event, fault }) => `${id} ${event} ${fault}`).sort(),
  };
}

/** Runs `work` while the machine is busy. */
async function busily<T>(work: () => Promise<T>): Promise<T> {
  const spinning = setInterval(() => {
    for (const until = performance.now() + 20 * Math.random(); performance.now() < until;);
  }, 10);
  return work().finally(() => clearInterval(spinning));
}

describe.each(KINDS)('traffic of $name', { timeout: 60_000 }, (kind) => {
  it('is the same for the same seed, even on a busy machine', async () => {
    const first = await outcomeOf(kind, 'one');
    const second = await busily(() => outcomeOf(kind, 'one'));
    expect(second).toEqual(first);
    expect(first.held).toHaveLength(10);
    for (const fault of ['missing', 'duplicated', 'late']) expect(first.hits.join()).toContain(fault);
  });

  it('differs for another seed', async () => {
    const [one, two] = [await outcomeOf(kind, 'one'), await outcomeOf(kind, 'two')];
    expect(one.held.filter((document) => two.held.includes(document))).toEqual([]);
    expect(one.hits).not.toEqual(two.hits);
  });
});

describe.each(KINDS)('errors of $name', ({ start }) => {
  const refused = async (seed: string, order: (ids: string[]) => string[]) => {
    const simulated = await start({ seed });
    await setFaults(simulated, { errors: { share: 0.4, statuses: [429, 500] } });
    const ids = order(Array.from({ length: 30 }, (_, index) => `id_${index}`));
    const answers = ids.flatMap((id) =>
      [1, 2].map(async () => {
        const { status } = await simulated.get(id);
        return `${id} ${status}`;
      }),
    );
    const all = await Promise.all(answers);
    await simulated.close();
    return all.sort();
  };

  it('hit the same requests for the same seed, whatever their order', async () => {
    const first = await refused('one', (ids) => ids);
    expect(await refused('one', (ids) => ids.toReversed())).toEqual(first);
    expect(await refused('two', (ids) => ids)).not.toEqual(first);
    expect(new Set(first.map((line) => line.split(' ')[1]))).toEqual(new Set(['404', '429', '500']));
  });
});
