import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { apiKeyList, apiKeyWithSecret } from '../../src/api-keys/api-key.schema.js';
import { agentList, agentSchema } from '../../src/agents/agent.schema.js';
import { clientList, clientSchema } from '../../src/clients/client.schema.js';
import { providerAccountList, providerAccountSchema } from '../../src/provider-accounts/provider-account.schema.js';
import { CONTRACT } from './contract.js';
import { startHttpApp, type Called, type HttpApp } from './http-app.js';

interface Operation {
  operationId?: string;
  summary?: string;
  tags?: string[];
  security?: object[];
  parameters?: { name: string; in: string; schema?: unknown }[];
  requestBody?: { content: Record<string, { schema?: unknown }> };
  responses: Record<string, { description?: string; content?: Record<string, { schema?: unknown }> }>;
}

interface OpenApi {
  openapi: string;
  servers: { url: string }[];
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, object>; securitySchemes: Record<string, object> };
}

let http: HttpApp;
let document: OpenApi;
let operations: { route: string; operation: Operation }[];

beforeAll(async () => {
  http = await startHttpApp({ COLLOQUY_PUBLIC_URL: 'https://colloquy.example' });
  const answer = await http.call('GET', '/openapi.json', { key: null });
  document = JSON.parse(answer.text) as OpenApi;
  operations = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ route: `${method.toUpperCase()} ${path}`, operation })),
  );
});
afterAll(() => http.stop());

const isSuccess = (status: string): boolean => status.startsWith('2');

describe('/openapi.json', () => {
  it('is OpenAPI 3.1 with server and bearer authentication', () => {
    expect(document.openapi).toBe('3.1.0');
    expect(document.servers).toEqual([{ url: 'https://colloquy.example' }]);
    expect(document.components.securitySchemes).toEqual({
      api_key: expect.objectContaining({ type: 'http', scheme: 'bearer' }),
    });
  });

  it('has every route of the contract and no other', () => {
    const expected = CONTRACT.map(({ method, url }) => `${method} ${url.replaceAll(/:(\w+)/g, '{$1}')}`);
    expect(operations.map(({ route }) => route).sort()).toEqual(expected.sort());
  });

  it('describes every operation once', () => {
    const ids = operations.map(({ operation }) => operation.operationId ?? '');
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^[a-z][A-Za-z]+$/);
    for (const { route, operation } of operations) {
      expect([route, operation.summary === undefined, operation.tags?.length]).toEqual([route, false, 1]);
    }
  });

  it('requires security exactly where a key is needed', () => {
    const closed = operations.filter(({ operation }) => operation.security !== undefined).map(({ route }) => route);
    const expected = CONTRACT.filter(({ right }) => right !== null);
    expect(closed.sort()).toEqual(
      expected.map(({ method, url }) => `${method} ${url.replaceAll(/:(\w+)/g, '{$1}')}`).sort(),
    );
  });

  it('has a schema for every response with a body, and problem documents for every failure', () => {
    for (const { route, operation } of operations) {
      const statuses = Object.keys(operation.responses);
      expect(statuses.filter(isSuccess).length, route).toBeGreaterThan(0);
      expect(statuses, route).toContain('default');
      for (const [status, { content = {}, description }] of Object.entries(operation.responses)) {
        expect(description, `${route} ${status}`).toBeTruthy();
        if (['204', '304'].includes(status)) continue;
        const types = Object.keys(content);
        expect(types.length, `${route} ${status}`).toBeGreaterThan(0);
        for (const type of types) expect(content[type]?.schema, `${route} ${status}`).toBeTruthy();
        if (!isSuccess(status)) expect(types, `${route} ${status}`).toEqual(['application/problem+json']);
      }
    }
  });

  it('has a schema for every parameter and body', () => {
    for (const { route, operation } of operations) {
      for (const { name, schema } of operation.parameters ?? []) expect(schema, `${route} ${name}`).toBeTruthy();
      for (const { schema } of Object.values(operation.requestBody?.content ?? {})) expect(schema, route).toBeTruthy();
      for (const name of route.matchAll(/\{(\w+)\}/g)) {
        const found = operation.parameters?.filter(
          (parameter) => parameter.name === name[1] && parameter.in === 'path',
        );
        expect(found, route).toHaveLength(1);
      }
    }
  });

  it('has no broken reference', () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(([, reference]) => reference);
    expect(references.length).toBeGreaterThan(20);
    for (const reference of new Set(references)) {
      const name = /^#\/components\/schemas\/(\w+)$/.exec(reference ?? '')?.[1];
      expect(document.components.schemas[name ?? ''], reference).toBeTruthy();
    }
  });

  it('has no generated component name such as __schema0', () => {
    expect(Object.keys(document.components.schemas).filter((name) => name.startsWith('_'))).toEqual([]);
  });
});

describe('responses', () => {
  it('match their schemas', async () => {
    const client = await http.call('POST', '/v1/clients', { body: { name: 'A', default_region: 'DE' } });
    const account = {
      provider: 'retell',
      name: 'A',
      client_id: client.body['id'],
      api_key: 'k',
      deadlines: { audio: 1 },
    };
    const agents = { client_id: client.body['id'], name: 'A' };
    const key = { name: 'A', role: 'admin', client_ids: '*' };
    const made: [z.ZodType, Promise<Called>][] = [
      [clientSchema, Promise.resolve(client)],
      [providerAccountSchema, http.call('POST', '/v1/provider-accounts', { body: account })],
      [agentSchema, http.call('POST', '/v1/agents', { body: agents })],
      [apiKeyWithSecret, http.call('POST', '/v1/api-keys', { body: key })],
      [clientList, http.call('GET', '/v1/clients')],
      [agentList, http.call('GET', '/v1/agents')],
      [providerAccountList, http.call('GET', '/v1/provider-accounts')],
      [apiKeyList, http.call('GET', '/v1/api-keys')],
    ];
    for (const [schema, called] of made) {
      const { status, body } = await called;
      expect(status).toBeLessThan(300);
      // Parsing drops what a schema does not name.
      expect(schema.parse(body)).toEqual(body);
    }
  });
});

describe('/docs', () => {
  it('begins with conversations', () => {
    const { tags } = document as unknown as { tags: { name: string }[] };
    expect(tags[0]?.name).toBe('Conversations');
    const used = new Set(operations.flatMap(({ operation }) => operation.tags ?? []));
    expect(new Set(tags.map(({ name }) => name))).toEqual(used);
  });

  it('stores no key, loads nothing from elsewhere and cannot be framed', async () => {
    const page = await http.call('GET', '/docs', { key: null });
    expect(page.text).not.toMatch(/<script(?![^>]*\bsrc=)|\son\w+=/);
    const policy = page.headers['content-security-policy'] ?? '';
    for (const part of [
      "default-src 'none'",
      "script-src 'self';",
      "frame-ancestors 'none'",
      'https://colloquy.example;',
    ])
      expect(policy).toContain(part);
    const settings = await http.call('GET', '/docs/swagger-ui-init.js', { key: null });
    expect(settings.text).toMatch(/"persistAuthorization": false/);
    expect(settings.headers['x-content-type-options']).toBe('nosniff');
  });

  it('is where / redirects', async () => {
    const answer = await http.call('GET', '/', { key: null });
    expect([answer.status, answer.headers['location']]).toEqual([302, '/docs']);
  });

  it('does not exist if it is switched off; the document does', async () => {
    const plain = await startHttpApp({ COLLOQUY_DOCS: 'off' });
    const statusOf = async (path: string): Promise<number> => (await plain.call('GET', path, { key: null })).status;
    expect([await statusOf('/docs'), await statusOf('/docs/swagger-ui-init.js'), await statusOf('/')]).toEqual([
      404, 404, 404,
    ]);
    expect(await statusOf('/openapi.json')).toBe(200);
    await plain.stop();
  });

  it('is the interactive page, and loads nothing from elsewhere', async () => {
    const page = await http.call('GET', '/docs', { key: null });
    expect(page.status).toBe(200);
    const links = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, link]) => link ?? '');
    expect(links.length).toBeGreaterThan(2);
    for (const link of links) {
      expect(link).not.toMatch(/^(https?:)?\/\//);
      if (link.startsWith('#')) continue;
      const asset = await http.call('GET', new URL(link, 'http://x/docs').pathname, { key: null });
      expect([link, asset.status]).toEqual([link, 200]);
    }
  });
});
