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
