// TypeORM inside withScope(): every operation stays in the one transaction and sees the scope's rows only.
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import type { DataSource } from 'typeorm';
import { newUuid } from '../../src/common/ids.js';
import { createDataSource } from '../../src/database/data-source.js';
import { ClientEntity } from '../../src/database/entities/client.entity.js';
import { OrphanedObjectEntity } from '../../src/database/entities/recording.entity.js';
import { withScope, type Transaction } from '../../src/database/with-scope.js';
import { createTestDatabases, type TestDatabases } from '../support/databases.js';

let databases: TestDatabases;
let api: DataSource;
let worker: DataSource;
let id: string;

beforeAll(async () => {
  databases = await createTestDatabases(inject('services').postgresUrl);
  const url = databases.databaseUrl;
  [api, worker] = await Promise.all([
    createDataSource({ url, role: 'colloquy_api', poolSize: 2 }).initialize(),
    createDataSource({ url, role: 'colloquy_worker', poolSize: 2 }).initialize(),
  ]);
});
afterAll(async () => {
  await Promise.all([api.destroy(), worker.destroy()]);
  await databases.drop();
});
beforeEach(async () => {
  id = newUuid();
  await withScope(api, 'all', (tx) => tx.manager.insert(ClientEntity, { id, sealed: Buffer.from('first') }));
});

const row = (scope: 'all' | string[] = 'all'): Promise<ClientEntity | null> =>
  withScope(api, scope, (tx) => tx.manager.findOneBy(ClientEntity, { id }));
const region = async (): Promise<string | null | undefined> => (await row())?.default_region;
/** The transaction that rows are written in; another one would have another id. */
const idOf = async (tx: Transaction): Promise<string | undefined> =>
  (await tx.query<{ id: string }>({ text: 'select pg_current_xact_id()::text as id' }))[0]?.id;

describe('the manager of a scope', () => {
  it('returns rows as their entity declares, of the clients of the scope only', async () => {
    expect(await row([id])).toEqual({
      id,
      sealed: Buffer.from('first'),
      default_region: null,
      revision: 1,
      created_at: expect.any(Date) as Date,
      updated_at: expect.any(Date) as Date,
    });
    expect(await row([newUuid()])).toBeNull();
  });

  const waysToWrite: [string, (tx: Transaction) => Promise<unknown>][] = [
    ['update()', (tx) => tx.manager.update(ClientEntity, { id }, { default_region: 'DE' })],
    ['save()', (tx) => tx.manager.save(ClientEntity, { id, default_region: 'DE' })],
    [
      'transaction()',
      (tx) => tx.manager.transaction((inner) => inner.update(ClientEntity, { id }, { default_region: 'DE' })),
    ],
  ];

  it.each(waysToWrite)('writes with %s in the transaction of the scope, which alone commits', async (_, write) => {
    const failed = withScope(api, [id], async (tx) => {
      const before = await idOf(tx);
      await write(tx);
      expect(await idOf(tx)).toBe(before);
      throw new Error('changed my mind');
    });
    await expect(failed).rejects.toThrow('changed my mind');
    expect(await region()).toBeNull();
    await withScope(api, [id], write);
    expect(await region()).toBe('DE');
  });

  it.each(waysToWrite)('does not let %s reach beyond the scope', async (_, write) => {
    await withScope(api, [newUuid()], write).catch(() => undefined);
    expect(await region()).toBeNull();
  });

  it('deletes in the transaction of the scope', async () => {
    const key = `recordings/${id}`;
    await withScope(worker, 'all', (tx) =>
      tx.manager.insert(OrphanedObjectEntity, { object_key: key, conversation_id: id }),
    );
    const failed = withScope(worker, 'all', async (tx) => {
      const found = await tx.manager.findOneByOrFail(OrphanedObjectEntity, { object_key: key });
      await tx.manager.remove(found);
      throw new Error('changed my mind');
    });
    await expect(failed).rejects.toThrow('changed my mind');
    const left = await withScope(worker, 'all', (tx) => tx.manager.countBy(OrphanedObjectEntity, { object_key: key }));
    expect(left).toBe(1);
  });

  it('locks rows until the scope ends', async () => {
    const order: string[] = [];
    let second: Promise<unknown> | undefined;
    const lock = { mode: 'pessimistic_write' } as const;
    await withScope(api, [id], async (tx) => {
      await tx.manager.findOne(ClientEntity, { where: { id }, lock });
      second = withScope(api, [id], async (other) => {
        await other.manager.findOne(ClientEntity, { where: { id }, lock });
        order.push('second');
      });
      await tx.query({ text: 'select pg_sleep(0.3)' });
      order.push('first');
    });
    await second;
    expect(order).toEqual(['first', 'second']);
  });
});
