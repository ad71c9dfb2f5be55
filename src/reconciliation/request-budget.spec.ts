import { describe, expect, it } from 'vitest';
import { ProviderError } from '../providers/provider.js';
import { RequestBudget, type Clock } from './request-budget.js';

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
    const answers = [new ProviderError(429, true, undefined, 3_000), 'yes'];
    const from = clock.time;
    const request = async (): Promise<unknown> => {
      const answer = answers.shift();
      if (answer instanceof ProviderError) throw answer;
      return answer;
    };
    expect(await budget.ask(request, open)).toBe('yes');
    expect(clock.time - from).toBeGreaterThanOrEqual(3_000);
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
