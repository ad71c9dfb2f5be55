import { describe, expect, it } from 'vitest';
import { Slots } from './slots.js';

const open = new AbortController().signal;

describe('Slots', () => {
  it('gives out so many of an account at once, and others what is theirs', async () => {
    const slots = new Slots(2);
    expect(await slots.take('one', 0, open)).not.toBeNull();
    expect(await slots.take('one', 0, open)).not.toBeNull();
    expect(await slots.take('one', 1, open)).toBeNull();
    expect(await slots.take('other', 0, open)).not.toBeNull();
  });

  it('gives a place that gets free to whoever waits longest, once', async () => {
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
    // Told twice, it is given back once.
    release?.();
    const held = await first;
    expect(order).toEqual(['first']);
    held?.();
    (await second)?.();
    expect(order).toEqual(['first', 'second']);
    expect(await slots.take('one', 0, open)).not.toBeNull();
  });

  it('is not lost with somebody who does not want it any more', async () => {
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
