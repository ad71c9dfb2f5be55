import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startHttpApp, type HttpApp } from './http-app.js';

let http: HttpApp;

beforeAll(async () => {
  http = await startHttpApp();
});
afterAll(() => http.stop());

describe('problem documents', () => {
  it('answers 404 with the request id of the caller, when no route fits', async () => {
    const answer = await http.call('GET', '/v1/nothing', { headers: { 'x-request-id': 'abc-1' } });
    expect(answer.status).toBe(404);
    expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8');
    expect(answer.headers['x-request-id']).toBe('abc-1');
    expect(answer.body).toEqual({
      type: 'https://colloquy.dev/problems/not_found',
      title: 'Not found',
      status: 404,
      detail: 'there is no such route',
      code: 'not_found',
      request_id: 'abc-1',
    });
  });

  it('answers 400 invalid_request, when the path is malformed', async () => {
    const answer = await http.call('GET', '/v1/%E0%A4%A');
    expect(answer.status).toBe(400);
    expect(answer.body['code']).toBe('invalid_request');
    expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8');
  });
});

describe('odd requests', () => {
  it('are authenticated with HEAD as with GET', async () => {
    expect((await http.call('HEAD', '/v1/clients', { key: null })).status).toBe(401);
    const head = await http.call('HEAD', '/v1/clients');
    expect([head.status, head.text]).toEqual([200, '']);
  });

  it('with characters that Postgres has no place for are 400, not 500', async () => {
    const client = await http.call('POST', '/v1/clients', { body: { name: 'A' } });
    const body = { client_id: client.body['id'], name: 'A', version: 'a\u0000b' };
    const made = await http.call('POST', '/v1/agents', { body });
    expect([made.status, made.body['code']]).toEqual([400, 'invalid_request']);
    const listed = await http.call('GET', '/v1/provider-accounts?provider=%00');
    expect([listed.status, listed.body['code']]).toEqual([400, 'invalid_request']);
  });

  it.each(['../etc', 'a b', 'x'.repeat(129), 'é'])('get an id of ours instead of %j', async (id) => {
    const answer = await http.call('GET', '/healthz', { headers: { 'x-request-id': id } });
    expect(answer.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('with a path that is too long are a problem document', async () => {
    const answer = await http.call('GET', `/v1/clients/${'a'.repeat(5_000)}`);
    expect([answer.status, answer.body['code']]).toEqual([414, 'uri_too_long']);
    expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8');
  });
});
