// The routes of the HTTP contract that exist so far, each with its required right; key: any key; null: public. Add new routes
// here, or the tests of rights, isolation and OpenAPI fail.
import type { Right } from '../../src/access/rights.js';

export interface ContractRoute {
  method: string;
  url: string;
  right: Right | 'key' | null;
}

const TABLE: [string, Right | 'key' | null][] = [
  ['GET /healthz', null],
  ['GET /readyz', null],
  ['GET /v1/agents', 'agents:manage'],
  ['POST /v1/agents', 'agents:manage'],
  ['GET /v1/agents/:id', 'agents:manage'],
  ['PATCH /v1/agents/:id', 'agents:manage'],
  ['GET /v1/api-keys', 'api-keys:manage'],
  ['POST /v1/api-keys', 'api-keys:manage'],
  ['GET /v1/api-keys/:id', 'api-keys:manage'],
  ['PATCH /v1/api-keys/:id', 'api-keys:manage'],
  ['DELETE /v1/api-keys/:id', 'api-keys:manage'],
  ['POST /v1/api-keys/:id/approve', 'api-keys:manage'],
  ['POST /v1/api-keys/:id/rotate', 'key'],
  ['GET /v1/clients', 'clients:manage'],
  ['POST /v1/clients', 'clients:manage'],
  ['GET /v1/clients/:id', 'clients:manage'],
  ['PATCH /v1/clients/:id', 'clients:manage'],
  ['GET /v1/conversations', 'conversations:read'],
  ['GET /v1/conversations/active', 'conversations:read'],
  // An operator gets the basic view.
  ['GET /v1/conversations/:id', 'conversations:read'],
  ['GET /v1/conversations/:id/audio', 'content:read'],
  ['GET /v1/conversations/:id/history', 'conversations:read'],
  ['GET /v1/conversations/:id/transcript', 'content:read'],
  ['GET /v1/parked-facts', 'operations:manage'],
  ['POST /v1/parked-facts/retry', 'operations:manage'],
  ['POST /v1/parked-facts/:id/retry', 'operations:manage'],
  ['GET /v1/provider-accounts', 'provider-accounts:manage'],
  ['POST /v1/provider-accounts', 'provider-accounts:manage'],
  ['GET /v1/provider-accounts/:id', 'provider-accounts:manage'],
  ['PATCH /v1/provider-accounts/:id', 'provider-accounts:manage'],
  ['DELETE /v1/provider-accounts/:id', 'provider-accounts:manage'],
  ['POST /v1/webhooks/:provider_account_id', null],
];

export const CONTRACT: ContractRoute[] = TABLE.map(([route, right]) => {
  const [method = '', url = ''] = route.split(' ');
  return { method, url, right };
});
