// Every fault of requests, configured over HTTP, for every kind of conversation.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { documentOf, KINDS, listOf, setFaults, type Simulated } from './kinds.js';

const OPERATIONS = ['get', 'list', 'audio', 'delete'] as const;

describe.each(KINDS)('requests about $name', ({ start, id: idField, isSpoken }) => {
  let simulated: Simulated;
  let id: string;
  const operations = OPERATIONS.filter((operation) => isSpoken || operation !== 'audio');

  beforeEach(async () => {
    simulated = await start();
    id = simulated.addComplete();
  });

  afterEach(() => simulated.close());

  const ask = (operation: (typeof OPERATIONS)[number]): Promise<Response> => {
    const { get, list, hear, remove } = simulated;
    return { get, list, audio: hear, delete: remove }[operation](id);
  };

  it.each(operations)('to %s fail as configured, and then work again', async (operation) => {
    await setFaults(simulated, { [`${operation}Status`]: [503, 0, 200, 429] });
    expect((await ask(operation)).status).toBe(503);
    await expect(ask(operation)).rejects.toThrow();
    expect((await ask(operation)).ok).toBe(true);
    expect((await ask(operation)).status).toBe(429);
    // By now a delete has succeeded.
    expect((await ask(operation)).status).toBe(operation === 'delete' ? 404 : 200);
  });

  it.each(operations)('to %s are delayed as configured, and no others are', async (operation) => {
    const answered: string[] = [];
    await setFaults(simulated, { [`${operation}DelayMs`]: 250 });
    const began = performance.now();
    const slow = ask(operation).then(() => answered.push(operation));
    await ask(operation === 'get' ? 'list' : 'get').then(() => answered.push('other'));
    await slow;
    expect(answered).toEqual(['other', operation]);
    expect(performance.now() - began).toBeGreaterThan(240);
  });

  it('return 404 and omit it from lists if it is gone', async () => {
    await setFaults(simulated, { missing: [id] });
    expect((await ask('get')).status).toBe(404);
    expect(await listOf(simulated)).toEqual([]);
    await setFaults(simulated, { missing: [] });
    expect(await documentOf(simulated, id)).toMatchObject({ [idField]: id });
  });

  it('find it deleted right after it was listed, as often as configured', async () => {
    const other = simulated.addComplete();
    await setFaults(simulated, { deleteAfterList: 1 });
    expect(await listOf(simulated)).toHaveLength(2);
    const left = await listOf(simulated);
    expect(left).toHaveLength(1);
    const statuses = await Promise.all([id, other].map(async (each) => (await simulated.get(each)).status));
    expect(new Set(statuses)).toEqual(new Set([200, 404]));
  });
});
