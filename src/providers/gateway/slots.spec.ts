import { describe, expect, it } from 'vitest';
import { Slots } from './slots.js';

const open = new AbortController().signal;

describe('Slots', () => {
  it('limits each key separately', async () => {
    const slots = new Slots(2);
    expect(await slots.take('one', 0, open)).not.toBeNull();
    expect(await slots.take('one', 0, open)).not.toBeNull();
    expect(await slots.take('one', 1, open)).toBeNull();
    expect(await slots.take('other', 0, open)).not.toBeNull();
  });

  it('passes a released slot to the request that has waited longest, once', async () => {
    const slots = new Slots(1);
    const release = await slots.take('one', 0, open);
    const order: string[] = [];
    const wait = async (name: string): Promise<(() => void) | null> => {
      const taken = await slots.take('one', 10_000, open);
      order.push(name);
      return taken;
    };
    const [first, second] = [wait('first'), wait('second')];
    release?.();
    // Releasing twice has no further effect.
    release?.();
    const held = await first;
    expect(order).toEqual(['first']);
    held?.();
    (await second)?.();
    expect(order).toEqual(['first', 'second']);
    expect(await slots.take('one', 0, open)).not.toBeNull();
  });

  it('loses no slot to a request that was aborted while waiting', async () => {
    const slots = new Slots(1);
    const release = await slots.take('one', 0, open);
    const impatient = new AbortController();
    const waiting = slots.take('one', 10_000, impatient.signal);
    impatient.abort();
    await expect(waiting).rejects.toThrow('aborted');
    const late = slots.take('one', 10_000, open);
    release?.();
    expect(await late).not.toBeNull();
    await expect(slots.take('one', 0, impatient.signal)).rejects.toThrow('aborted');
  });
});
