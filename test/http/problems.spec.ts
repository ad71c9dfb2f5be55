import { once } from 'node:events';
import { METHODS } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startHttpApp, type HttpApp } from './http-app.js';

let http: HttpApp;

beforeAll(async () => {
  http = await startHttpApp();
});
afterAll(() => http.stop());

describe('problem documents', () => {
  it("answers 404 with the caller's request id if no route matches", async () => {
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

  it('answers 400 invalid_request if the path is malformed', async () => {
    const answer = await http.call('GET', '/v1/%E0%A4%A');
    expect(answer.status).toBe(400);
    expect(answer.body['code']).toBe('invalid_request');
    expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8');
  });
});

describe('an existing path', () => {
  it('answers 405 with Allow to every other method', async () => {
    const cases: [string, string[]][] = [
      ['/v1/clients', ['GET', 'HEAD', 'POST']],
      ['/v1/webhooks/pa_01jd5k3z8kf2v9q4m7x6w0e1ra', ['POST']],
      ['/healthz', ['GET', 'HEAD']],
    ];
    for (const [url, allowed] of cases) {
      for (const method of METHODS.filter((name) => name !== 'CONNECT' && !allowed.includes(name))) {
        const answer = await http.call(method, url);
        expect([method, url, answer.status]).toEqual([method, url, 405]);
        expect(answer.headers['allow']).toBe(allowed.join(', '));
        expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8');
      }
    }
  });

  it('answers 404 to all of them if it does not exist', async () => {
    for (const method of METHODS.filter((name) => name !== 'CONNECT')) {
      expect([method, (await http.call(method, '/v1/nothing')).status]).toEqual([method, 404]);
    }
  });

  it.each(['/v1/conversations', '/v1/conversations/active', '/v1/provider-accounts'])(
    'answers 400 naming the parameter if %s is filtered by an unknown provider',
    async (url) => {
      const key = url.includes('accounts') ? http.adminKey : http.readKey;
      const answer = await http.call('GET', `${url}?provider=frobnicated`, { key });
      expect([answer.status, answer.body['code']]).toEqual([400, 'invalid_request']);
      expect(answer.body['errors']).toEqual([{ parameter: 'provider', detail: expect.any(String) }]);
      expect((await http.call('GET', `${url}?provider=retell`, { key })).status).toBe(200);
    },
  );
});

describe('bytes that no HTTP parser accepts', () => {
  let port: number;
  beforeAll(async () => {
    await http.app.listen(0, '127.0.0.1');
    port = (http.fastify.server.address() as AddressInfo).port;
  });

  /** The whole response to these bytes, until the connection ends. */
  async function sent(...pieces: string[]): Promise<string> {
    const socket = connect(port, '127.0.0.1');
    let answer = '';
    socket.on('data', (chunk) => (answer += chunk.toString())).on('error', () => undefined);
    await once(socket, 'connect');
    for (const piece of pieces) socket.write(piece);
    await once(socket, 'end');
    socket.destroy();
    return answer;
  }

  it.each([
    [
      'a line that is too long',
      [`GET /v1/conversations?q=${'a'.repeat(100_000)} HTTP/1.1\r\nhost: a\r\n\r\n`],
      414,
      'uri_too_long',
    ],
    [
      'a header that is too long',
      [`GET /healthz HTTP/1.1\r\nhost: a\r\nx-long: ${'a'.repeat(100_000)}\r\n\r\n`],
      431,
      'header_too_large',
    ],
    [
      'many headers',
      [`GET /healthz HTTP/1.1\r\nhost: a\r\n${'x-many: a\r\n'.repeat(9_000)}\r\n`],
      431,
      'header_too_large',
    ],
    ['no HTTP', ['hello\r\n\r\n'], 400, 'invalid_request'],
    [
      'two lengths',
      ['POST /v1/clients HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab'],
      400,
      'invalid_request',
    ],
  ] as [string, string[], number, string][])('get a problem document: %s', async (_, pieces, status, code) => {
    const answer = await sent(...pieces);
    const [head = '', body = ''] = answer.split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(head).toContain('content-type: application/problem+json');
    expect(head).toContain('x-content-type-options: nosniff');
    const id = /x-request-id: (\S+)/.exec(head)?.[1];
    expect(JSON.parse(body)).toMatchObject({ status, code, request_id: id });
  });
});

describe('headers of every response', () => {
  it('prevent browsers from sniffing, running, framing and storing it', async () => {
    for (const [url, status] of [
      ['/v1/clients', 200],
      ['/%761/clients', 200],
      ['/v1/nothing', 404],
      ['/v1/%E0%A4%A', 400],
      ['/healthz', 200],
      ['/openapi.json', 200],
    ] as const) {
      const { headers, ...answer } = await http.call('GET', url);
      expect([url, answer.status]).toEqual([url, status]);
      expect(headers['x-content-type-options']).toBe('nosniff');
      expect(headers['referrer-policy']).toBe('no-referrer');
      expect(headers['content-security-policy']).toContain("default-src 'none'; frame-ancestors 'none'");
      if (/^\/(?:v|%76)1\//.test(url) && status !== 400)
        expect([url, headers['cache-control']]).toEqual([url, 'no-store']);
    }
  });
});

describe('odd requests', () => {
  it('are authenticated with HEAD like with GET', async () => {
    expect((await http.call('HEAD', '/v1/clients', { key: null })).status).toBe(401);
    const head = await http.call('HEAD', '/v1/clients');
    expect([head.status, head.text]).toEqual([200, '']);
  });

  it('with characters that Postgres cannot store are 400, not 500', async () => {
    const client = await http.call('POST', '/v1/clients', { body: { name: 'A' } });
    const body = { client_id: client.body['id'], name: 'A', version: 'a\u0000b' };
    const made = await http.call('POST', '/v1/agents', { body });
    expect([made.status, made.body['code']]).toEqual([400, 'invalid_request']);
    const listed = await http.call('GET', '/v1/provider-accounts?provider=%00');
    expect([listed.status, listed.body['code']]).toEqual([400, 'invalid_request']);
  });

  it.each(['../etc', 'a b', 'x'.repeat(129), 'é'])('get a generated id instead of %j', async (id) => {
    const answer = await http.call('GET', '/healthz', { headers: { 'x-request-id': id } });
    expect(answer.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('get a problem document if their path is too long', async () => {
    const answer = await http.call('GET', `/v1/clients/${'a'.repeat(5_000)}`);
    expect([answer.status, answer.body['code']]).toEqual([414, 'uri_too_long']);
    expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8');
  });
});
