// Requests generated from the OpenAPI document, most of them invalid: every response has a status and a content type that the
// document names for its operation.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newUuid, publicId, type IdKind } from '../../src/common/ids.js';
import { startHttpApp, type Called, type CallOptions, type HttpApp } from './http-app.js';

interface Operation {
  parameters?: { name: string; in: string }[];
  requestBody?: object;
  responses: Record<string, { content?: Record<string, unknown> }>;
}

let http: HttpApp;
let operations: { method: string; path: string; operation: Operation }[];

beforeAll(async () => {
  http = await startHttpApp();
  const { paths } = (await http.call('GET', '/openapi.json', { key: null })).body as {
    paths: Record<string, Record<string, Operation>>;
  };
  operations = Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  );
});
afterAll(() => http.stop());

const KINDS: [string, IdKind][] = [
  ['clients', 'client'],
  ['agents', 'agent'],
  ['api-keys', 'apiKey'],
  ['conversations', 'conversation'],
  ['parked-facts', 'parkedFact'],
  ['provider-accounts', 'providerAccount'],
  ['webhooks', 'providerAccount'],
];
const kindOf = (path: string): IdKind => KINDS.find(([part]) => path.includes(`/${part}`))?.[1] ?? 'client';

const ODD = ['', '0', '-1', 'null', 'x'.repeat(300), '%00', '%F0%9F%92%A9', '../..', '1e309', '[]'];
const BODIES: [unknown, string][] = [
  [undefined, 'application/json'],
  ['{', 'application/json'],
  ['[]', 'application/json'],
  ['{"frobnicated":1}', 'application/json'],
  ['{"name":1,"client_id":[],"provider":{}}', 'application/json'],
  ['{"a":1,"a":2}', 'application/json'],
  ['[['.repeat(40), 'application/json'],
  ['a=b', 'application/x-www-form-urlencoded'],
  ['<a/>', 'text/xml'],
];

/** Paths with ids that are unknown, malformed and odd. */
const pathsOf = (path: string): string[] => {
  if (!path.includes('{')) return [path];
  const ids = [publicId(kindOf(path), newUuid()), 'frobnicated', '%F0%9F%92%A9', 'x'.repeat(600)];
  return ids.map((id) => path.replace(/\{\w+\}/, id));
};

const queriesOf = ({ parameters = [] }: Operation): string[] => {
  const names = parameters.filter((parameter) => parameter.in === 'query').map(({ name }) => name);
  return ['', '?frobnicated=1', ...names.flatMap((name) => ODD.map((value) => `?${name}=${value}`))];
};

function* requestsOf(method: string, path: string, operation: Operation): Generator<[string, string, CallOptions]> {
  const keys = [http.adminKey, http.readKey];
  for (const url of pathsOf(path)) {
    for (const key of [...keys, null, 'clq_wrong']) yield [method, url, { key }];
    for (const key of keys) {
      for (const query of queriesOf(operation)) yield [method, `${url}${query}`, { key }];
      for (const accept of ['text/html', 'audio/mpeg', '*/*;q=0']) yield [method, url, { key, headers: { accept } }];
      if (operation.requestBody === undefined && method !== 'POST') continue;
      for (const [body, type] of BODIES) {
        yield [method, url, { key, ...(body !== undefined && { body }), headers: { 'content-type': type } }];
      }
      const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
      yield [method, url, { key, body: '{}', headers }];
      yield [
        method,
        url,
        { key, body: '{}', headers: { 'content-type': 'application/json', 'idempotency-key': 'x'.repeat(300) } },
      ];
    }
  }
}

/** What the document does not name of a response. */
function unnamed({ responses }: Operation, { status, headers }: Called): string | null {
  if (status === 304 || status === 204) return responses[status] === undefined ? `status ${status}` : null;
  const named = responses[status];
  if (named === undefined) return `status ${status}`;
  const type = headers['content-type']?.split(';')[0] ?? 'none';
  const types = Object.keys(named.content ?? {});
  const isNamed = types.some((one) => one === type || (one.endsWith('/*') && type.startsWith(one.slice(0, -1))));
  return isNamed ? null : `${type} with status ${status}`;
}

describe('every response', () => {
  it('is named in /openapi.json, even for mostly invalid requests', async () => {
    const surprises = new Set<string>();
    let errors = 0;
    for (const { method, path, operation } of operations) {
      for (const [, url, options] of requestsOf(method, path, operation)) {
        const answer = await http.call(method, url, options);
        if (answer.status >= 400) errors += 1;
        if (answer.status >= 500) surprises.add(`${method} ${path}: ${answer.status} to ${url}`);
        const missing = unnamed(operation, answer);
        if (missing !== null) surprises.add(`${method} ${path}: ${missing}`);
      }
    }
    expect([...surprises]).toEqual([]);
    expect(errors).toBeGreaterThan(1_000);
  }, 120_000);
});
