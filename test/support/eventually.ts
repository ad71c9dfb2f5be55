// Waits for something to happen by checking repeatedly instead of sleeping.
import { setTimeout as sleep } from 'node:timers/promises';

/** Repeats `attempt` until it returns a truthy value; fails after `seconds`. */
export async function eventually<Value>(
  attempt: () => Promise<Value | undefined | null | false>,
  seconds = 20,
): Promise<Value> {
  const until = Date.now() + seconds * 1000;
  for (;;) {
    const value = await attempt();
    if (value !== undefined && value !== null && value !== false) return value;
    if (Date.now() > until) throw new Error(`it did not happen within ${seconds} s`);
    await sleep(50);
  }
}
