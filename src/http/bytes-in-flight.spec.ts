import { describe, expect, it } from 'vitest';
import { BytesInFlight } from './bytes-in-flight.js';

const open = (): BytesInFlight => new BytesInFlight({ perOwner: 100, total: 200, smallBytes: 10 });
const FULL = expect.objectContaining({ code: 'storage_unavailable', headers: { 'retry-after': '2' } });

describe('BytesInFlight', () => {
  it('limits the bytes of each owner; others are not affected', () => {
    const bytes = open();
    bytes.begin('a', 75).add(75);
    expect(() => bytes.begin('a', 20)).toThrow(FULL);
    expect(() => bytes.begin('b', 75)).not.toThrow();
  });

  it('limits the bytes of all owners together', () => {
    const bytes = open();
    bytes.begin('a', 75).add(75);
    bytes.begin('b', 75).add(75);
    expect(() => bytes.begin('c', 11)).toThrow(FULL);
  });

  it('leaves room for small bodies when large ones are refused', () => {
    const bytes = open();
    bytes.begin('a', 75).add(75);
    const small = bytes.begin('a', 10);
    expect(() => small.add(10)).not.toThrow();
    for (const owner of ['b', 'c', 'd']) if (owner !== 'd') bytes.begin(owner, 30).add(30);
    expect(() => bytes.begin('d', 20)).toThrow(FULL);
    expect(() => bytes.begin('d', 10).add(10)).not.toThrow();
  });

  it('counts bytes as they arrive, whatever was announced', () => {
    const body = open().begin('a', 0);
    body.add(50);
    expect(() => body.add(50)).toThrow(FULL);
    body.add(25);
  });

  it('frees bytes only once', () => {
    const bytes = open();
    const body = bytes.begin('a', 75);
    body.add(75);
    body.release();
    body.release();
    bytes.begin('a', 75).add(75);
    expect(() => bytes.begin('a', 11)).toThrow(FULL);
  });
  it('counts bytes while work on them goes on, even if the sender has gone', async () => {
    const bytes = open();
    const body = bytes.begin('a', 75);
    body.add(75);
    let finish: (result: string) => void = () => undefined;
    const done = body.keepFor(new Promise<string>((resolve) => (finish = resolve)));
    body.release();
    expect(() => bytes.begin('a', 11)).toThrow(FULL);
    finish('stored');
    expect(await done).toBe('stored');
    expect(() => bytes.begin('a', 75)).not.toThrow();
  });

  it('frees bytes when the work on them fails, but not before the request ends', async () => {
    const bytes = open();
    const body = bytes.begin('a', 75);
    body.add(75);
    await expect(body.keepFor(Promise.reject(new Error('not stored')))).rejects.toThrow('not stored');
    expect(() => bytes.begin('a', 11)).toThrow(FULL);
    body.release();
    expect(() => bytes.begin('a', 75)).not.toThrow();
  });
});
