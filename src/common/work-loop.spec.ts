import { describe, expect, it } from 'vitest';
import { WorkLoop } from './work-loop.js';

const LONG_MS = 60_000;

describe('WorkLoop', () => {
  it('goes on while there is more work, then sleeps until it is nudged', async () => {
    let left = 3;
    let rounds = 0;
    const loop = new WorkLoop(async () => {
      rounds += 1;
      left -= 1;
      return left > 0;
    }, LONG_MS);
    loop.start();
    await expect.poll(() => rounds).toBe(3);
    loop.nudge();
    await expect.poll(() => rounds).toBe(4);
    await loop.stop();
  });

  it('runs another round when it is nudged during one', async () => {
    let rounds = 0;
    const loop: WorkLoop = new WorkLoop(async () => {
      rounds += 1;
      if (rounds === 1) loop.nudge();
      return false;
    }, LONG_MS);
    loop.start();
    await expect.poll(() => rounds).toBe(2);
    await loop.stop();
  });

  it('stops while it sleeps, and after the current round', async () => {
    let finished = false;
    const loop = new WorkLoop(async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      finished = true;
      return false;
    }, LONG_MS);
    loop.start();
    await loop.stop();
    expect(finished).toBe(true);
  });
});
