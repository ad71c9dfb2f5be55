import { describe, expect, it } from 'vitest';
import { ProviderError } from '../provider.js';
import { NOW_OR_NOT, NotWelcome, RequestBudget, type Clock } from './request-budget.js';

/** Time that passes only by sleeping. */
function fakeClock(): Clock & { time: number } {
  const clock = {
    time: 1_000_000,
    now: () => clock.time,
    sleep: async (ms: number) => {
      clock.time += ms;
    },
  };
  return clock;
}

const open = new AbortController().signal;
const tooMany = (retryAfterMs: number): ProviderError => new ProviderError(429, true, undefined, retryAfterMs);

/** A request that is answered so, one after the other; errors are thrown. */
const answering = (answers: unknown[]) => async (): Promise<unknown> => {
  if (answers.length === 0) throw new Error('it must not be asked');
  const answer = answers.shift();
  if (answer instanceof Error) throw answer;
  return answer;
};

describe('RequestBudget', () => {
  it('lets so many requests a second through, and a quarter of a second at once', async () => {
    const clock = fakeClock();
    const budget = new RequestBudget(20, clock);
    const from = clock.time;
    for (let request = 0; request < 41; request += 1) await budget.ask(async () => undefined, open);
    expect(clock.time - from).toBe(41 * 50 - 250 - 50);
  });

  it('stays away as long as the provider says, then asks again', async () => {
    const clock = fakeClock();
    const budget = new RequestBudget(1000, clock);
    const from = clock.time;
    expect(await budget.ask(answering([tooMany(3_000), 'yes']), open)).toBe('yes');
    expect(clock.time - from).toBeGreaterThanOrEqual(3_000);
  });

  it('does not wait for longer than half a minute, and lets nothing through until the time is over', async () => {
    const clock = fakeClock();
    const budget = new RequestBudget(1000, clock);
    const from = clock.time;
    await expect(budget.ask(answering([tooMany(600_000)]), open)).rejects.toMatchObject({ retryAfterMs: 600_000 });
    const refused = await budget.ask(answering([]), open).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(NotWelcome);
    expect(refused).toMatchObject({ status: 429, retryAfterMs: 600_000 });
    expect(clock.time).toBe(from);
    clock.time += 590_000;
    expect(await budget.ask(answering(['yes']), open)).toBe('yes');
    expect(clock.time - from).toBeGreaterThanOrEqual(600_000);
  });

  it('sends what cannot wait once or not at all', async () => {
    const clock = fakeClock();
    const budget = new RequestBudget(1000, clock);
    const from = clock.time;
    const failing = [new ProviderError(503, true), 'never asked for'];
    await expect(budget.ask(answering(failing), open, NOW_OR_NOT)).rejects.toMatchObject({ status: 503 });
    expect(failing).toHaveLength(1);
    await expect(budget.ask(answering([tooMany(2_000)]), open, NOW_OR_NOT)).rejects.toThrow(ProviderError);
    await expect(budget.ask(answering([]), open, NOW_OR_NOT)).rejects.toThrow(NotWelcome);
    expect(clock.time).toBe(from);
  });

  it('waits longer each time and gives up after six attempts, when nothing is said', async () => {
    const clock = fakeClock();
    const budget = new RequestBudget(1000, clock);
    const from = clock.time;
    let asked = 0;
    const request = async (): Promise<void> => {
      asked += 1;
      throw new ProviderError(503, true);
    };
    await expect(budget.ask(request, open)).rejects.toThrow(ProviderError);
    expect(asked).toBe(6);
    expect(clock.time - from).toBeGreaterThanOrEqual(31_000);
  });

  it('throws at once what asking again cannot help, and does not ask once it is aborted', async () => {
    const budget = new RequestBudget(1000, fakeClock());
    let asked = 0;
    const refuse = async (): Promise<void> => {
      asked += 1;
      throw new ProviderError(401, false);
    };
    await expect(budget.ask(refuse, open)).rejects.toMatchObject({ status: 401 });
    await expect(budget.ask(refuse, AbortSignal.abort())).rejects.toThrow();
    expect(asked).toBe(1);
  });
});
