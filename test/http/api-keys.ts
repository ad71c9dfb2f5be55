// Helpers that create and read API keys.
import { expect } from 'vitest';
import { uuidOf } from '../../src/common/ids.js';
import type { Called, HttpApp } from './http-app.js';

export interface MadeKey {
  id: string;
  uuid: string;
  secret: string;
  url: string;
}

/** Creates a key for all clients, an admin unless `body` says otherwise; with `key`, by default the bootstrap admin. */
export async function makeKey(http: HttpApp, body: object = {}, key = http.adminKey): Promise<MadeKey> {
  const whole = { name: 'Test', role: 'admin', client_ids: '*', ...body };
  const made = await http.call('POST', '/v1/api-keys', { key, body: whole });
  expect([made.status, made.body['code']]).toEqual([201, undefined]);
  const id = String(made.body['id']);
  return { id, uuid: uuidOf('apiKey', id), secret: String(made.body['secret']), url: `/v1/api-keys/${id}` };
}

export const makeClient = async (http: HttpApp): Promise<string> =>
  String((await http.call('POST', '/v1/clients', { body: { name: 'Acme' } })).body['id']);

export const answerOf = ({ status, body }: Called): unknown[] => [status, body['code']];

/** The key as the bootstrap admin sees it. */
export const shown = async (http: HttpApp, { url }: MadeKey): Promise<Record<string, unknown>> =>
  (await http.call('GET', url)).body;
