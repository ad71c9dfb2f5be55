import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createDataSource } from '../../src/database/data-source.js';
import { WorkerDatabase } from '../../src/database/database.js';
import { SweepIdempotencyKeys } from '../../src/maintenance/sweep-idempotency-keys.js';
import { startHttpApp, type Called, type HttpApp } from './http-app.js';

let http: HttpApp;

beforeAll(async () => {
  http = await startHttpApp();
});
afterAll(() => http.stop());

const post = (url: string, body: unknown, idempotencyKey: string, key?: string): Promise<Called> =>
  http.call('POST', url, { body, headers: { 'idempotency-key': idempotencyKey }, ...(key !== undefined && { key }) });

describe('Idempotency-Key', () => {
  it('returns the same object in its current state if the same request is repeated', async () => {
    const first = await post('/v1/clients', { name: 'Once', default_region: 'US' }, 'again');
    const url = `/v1/clients/${String(first.body['id'])}`;
    await http.call('PATCH', url, { body: { name: 'Renamed' } });
    const second = await post('/v1/clients', { default_region: 'US', name: 'Once' }, 'again');
    expect(second.status).toBe(201);
    expect(second.body).toMatchObject({ id: first.body['id'], name: 'Renamed' });
  });

  it('answers 422 if another body or route uses the same key', async () => {
    await post('/v1/clients', { name: 'One' }, 'mixed');
    for (const [url, body] of [
      ['/v1/clients', { name: 'Two' }],
      ['/v1/api-keys', { name: 'One', role: 'consumer', client_ids: '*' }],
    ] as const) {
      const answer = await post(url, body, 'mixed');
      expect([answer.status, answer.body['code']]).toEqual([422, 'idempotency_mismatch']);
    }
  });

  it('shows a secret once', async () => {
    const body = { name: 'Once', role: 'consumer', client_ids: '*' };
    const first = await post('/v1/api-keys', body, 'secret');
    const second = await post('/v1/api-keys', body, 'secret');
    expect(first.body['secret']).toMatch(/^clq_[0-9A-Za-z]{38}$/);
    const { secret: _, ...withoutSecret } = first.body;
    expect(second.body).toEqual(withoutSecret);
    expect(second.status).toBe(201);
  });

  it('rotates a key once', async () => {
    const made = await post('/v1/api-keys', { name: 'R', role: 'admin', client_ids: '*' }, 'rotated-key');
    const url = `/v1/api-keys/${String(made.body['id'])}/rotate`;
    const first = await post(url, undefined, 'rotation', String(made.body['secret']));
    const secret = String(first.body['secret']);
    // The old secret no longer works; the new one repeats the request, and the secret is not shown again.
    expect((await post(url, undefined, 'rotation', String(made.body['secret']))).status).toBe(401);
    const second = await post(url, undefined, 'rotation', secret);
    expect([first.status, second.status]).toEqual([200, 200]);
    expect(second.body['secret']).toBeUndefined();
    expect((await http.call('GET', '/v1/clients', { key: secret })).status).toBe(200);
  });

  it('separates the keys of different callers', async () => {
    const other = await post('/v1/api-keys', { name: 'O', role: 'admin', client_ids: '*' }, 'other-caller');
    const first = await post('/v1/clients', { name: 'Mine' }, 'shared');
    const second = await post('/v1/clients', { name: 'Theirs' }, 'shared', String(other.body['secret']));
    expect(second.status).toBe(201);
    expect(second.body['id']).not.toBe(first.body['id']);
  });

  it('answers 409 while the first request is running', async () => {
    const blocker = new Client({ connectionString: http.databaseUrl });
    await blocker.connect();
    await blocker.query('begin');
    await blocker.query('lock table clients in access exclusive mode');
    const first = post('/v1/clients', { name: 'Slow' }, 'in-flight');
    const waiting = "select 1 from pg_locks where relation = 'clients'::regclass and not granted";
    await vi.waitFor(async () => expect(await http.sql(waiting)).toHaveLength(1));
    const second = await post('/v1/clients', { name: 'Slow' }, 'in-flight');
    expect([second.status, second.body['code']]).toEqual([409, 'idempotency_in_flight']);
    await blocker.query('rollback');
    await blocker.end();
    expect((await first).status).toBe(201);
    const third = await post('/v1/clients', { name: 'Slow' }, 'in-flight');
    expect(third.body['id']).toBe((await first).body['id']);
  });

  it('does not store failures: the same request may succeed later', async () => {
    const refused = await post('/v1/clients', { name: '' }, 'failed-first');
    expect(refused.status).toBe(400);
    expect((await post('/v1/clients', { name: 'Better' }, 'failed-first')).status).toBe(201);
  });

  it('accepts every printable key', async () => {
    expect((await post('/v1/clients', { name: 'A' }, 'a b "~"')).status).toBe(201);
  });

  it.each(['', 'a\tb', 'ä', 'x'.repeat(256)])('refuses the key %j', async (key) => {
    const answer = await post('/v1/clients', { name: 'A' }, key);
    expect([answer.status, answer.body['errors']]).toEqual([
      400,
      [{ parameter: 'Idempotency-Key', detail: expect.any(String) }],
    ]);
  });

  it('is valid for 24 h and is swept afterwards', async () => {
    const first = await post('/v1/clients', { name: 'Old' }, 'aged');
    await http.sql("update idempotency_keys set created_at = now() - interval '25 hours'");
    const second = await post('/v1/clients', { name: 'New' }, 'aged');
    expect([second.status, second.body['id'] === first.body['id']]).toEqual([201, false]);
    const source = createDataSource({ url: http.databaseUrl, role: 'colloquy_worker', poolSize: 1 });
    const worker = new WorkerDatabase(await source.initialize());
    expect((await new SweepIdempotencyKeys(worker).run()).keys).toBeGreaterThan(0);
    await worker.close();
    expect(await http.sql('select 1 from idempotency_keys')).toHaveLength(1);
  });
});
