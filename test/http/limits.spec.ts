import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startHttpApp, type HttpApp } from './http-app.js';

let http: HttpApp;

beforeAll(async () => {
  http = await startHttpApp({ COLLOQUY_RATE_LIMIT: '5' });
});
afterAll(() => http.stop());

describe('rate limit', () => {
  it('shows what is left, then answers 429 with the time to wait, separately for each key', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => http.call('GET', '/v1/clients')));
    const passed = answers.filter(({ status }) => status === 200);
    expect([passed.length, answers.length - passed.length]).toEqual([5, 3]);
    expect(passed[0]?.headers['ratelimit-policy']).toBe('"key";q=5;w=1');
    const left = passed.map(({ headers }) => headers['ratelimit']);
    expect(new Set(left)).toEqual(new Set([4, 3, 2, 1, 0].map((rest) => `"key";r=${rest};t=1`)));
    const refused = answers.find(({ status }) => status === 429);
    expect(refused?.body['code']).toBe('rate_limited');
    expect(refused?.headers['retry-after']).toBe('1');
    expect(refused?.headers['ratelimit']).toBe('"key";r=0;t=1');
    expect((await http.call('GET', '/v1/clients', { key: http.readKey })).status).toBe(403);
  });

  it('does not count health checks', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => http.call('GET', '/healthz')));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  });
});
