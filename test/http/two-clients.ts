// Two clients of one installation: one has an object of every kind, and the other one's keys must never reach any of them.
import { expect } from 'vitest';
import { newUuid, publicId, uuidOf } from '../../src/common/ids.js';
import { ApiDatabase } from '../../src/database/database.js';
import type { ClientScope } from '../../src/database/with-scope.js';
import { SYSTEM_CLIENT } from '../../src/vault/vault.service.js';
import { eventually } from '../support/eventually.js';
import { applyWaiting } from '../support/worker-parts.js';
import { startHttpApp, type Called, type HttpApp } from './http-app.js';
import { sendRetell } from './webhooks.js';

/** The two barriers between clients. Each must be sufficient alone. */
export type Locks = 'both' | 'predicates' | 'row-level security';

const ROLES = ['admin', 'supervisor', 'compliance', 'operator'] as const;
type Role = (typeof ROLES)[number];

export interface TwoClients {
  http: HttpApp;
  otherClient: string;
  ownClient: string;
  /** Ids of the other client's objects, by the beginning of their routes. */
  foreign: Record<string, string>;
  /** Keys of the other client: what they read exists. */
  owners: Record<Role, string>;
  /** A key with every right for the client that has nothing. */
  strangers: string[];
}

/** Starts an API in which, for the foreign keys, only `locks` are active. */
export async function startTwoClients(locks: Locks): Promise<TwoClients> {
  const http = await startHttpApp();
  const make = async (url: string, body: object): Promise<string> => idOf(await http.call('POST', url, { body }));
  const otherClient = await make('/v1/clients', { name: 'Other' });
  const ownClient = await make('/v1/clients', { name: 'Own' });
  const account = {
    provider: 'retell',
    name: 'A',
    client_id: otherClient,
    api_key: 'key_other',
    poll_active_seconds: 3600,
  };
  const accountId = await make('/v1/provider-accounts', account);
  const conversationId = await makeConversation(http, accountId, account.api_key);
  await knockWronglySigned(http, accountId);
  await http.sql('insert into provider_circuits (provider_account_id, client_id) values ($1, $2)', [
    uuidOf('providerAccount', accountId),
    uuidOf('client', otherClient),
  ]);
  const foreign = {
    clients: otherClient,
    agents: await make('/v1/agents', { client_id: otherClient, name: 'A' }),
    'provider-accounts': accountId,
    'api-keys': await make('/v1/api-keys', { name: 'K', role: 'admin', client_ids: [otherClient] }),
    conversations: conversationId,
    'parked-facts': await makeParkedFact(http, conversationId),
  };
  const owners = await keysFor(http, [otherClient]);
  // A key for all clients uses no predicate, so whatever it does not see is hidden by row-level security.
  const strangers = await keysFor(http, locks === 'row-level security' ? '*' : [ownClient]);
  if (locks === 'row-level security') narrow(http.app.get(ApiDatabase), [uuidOf('client', ownClient), SYSTEM_CLIENT]);
  if (locks === 'predicates') await openRows(http);
  return { http, otherClient, ownClient, foreign, owners, strangers: Object.values(strangers) };
}

const idOf = ({ body }: Called): string => String(body['id']);

async function keysFor(http: HttpApp, clientIds: string[] | '*'): Promise<Record<Role, string>> {
  const keys = ROLES.map(async (role) => {
    const { body } = await http.call('POST', '/v1/api-keys', { body: { name: role, role, client_ids: clientIds } });
    return [role, String(body['secret'])] as const;
  });
  return Object.fromEntries(await Promise.all(keys)) as Record<Role, string>;
}

/** From now on, restricts transactions over all clients to these. */
function narrow(database: ApiDatabase, clients: readonly string[]): void {
  const narrowed = (scope: ClientScope): ClientScope => (scope === 'all' ? clients : scope);
  const [withScope, once] = [database.withScope.bind(database), database.once.bind(database)];
  database.withScope = (scope, work) => withScope(narrowed(scope), work);
  database.once = (scope, statement) => once(narrowed(scope), statement);
}

/** Switches row-level security off, in this database only. */
async function openRows(http: HttpApp): Promise<void> {
  await http.sql(`
    do $$ declare name regclass; begin
      for name in select oid from pg_class where relrowsecurity and relnamespace = 'public'::regnamespace loop
        execute format('alter table %s disable row level security', name);
      end loop;
    end $$`);
}

/** A live call that Retell has reported, with words and a recording. */
async function makeConversation(http: HttpApp, accountId: string, apiKey: string): Promise<string> {
  const call = { call_id: 'call_1', call_type: 'phone_call', agent_id: 'agent_1', call_status: 'ongoing' };
  const transcript_object = [{ role: 'agent', content: 'Hello', words: [{ word: 'Hello', start: 0.4, end: 0.8 }] }];
  const said = { ...call, from_number: '+12025550142', start_timestamp: Date.now(), transcript_object };
  const account = { id: accountId, secret: apiKey };
  expect((await sendRetell(http, account, 'transcript_updated', said)).status).toBe(200);
  expect(await applyWaiting(http.workerConfig)).toBe(1);
  const [row] = await http.sql<{ id: string }>(`
    insert into recordings (id, conversation_id, client_id, variant, content_type, bytes, object_key, created_at)
    select gen_random_uuid(), id, client_id, 'mixed', 'audio/wav', 9, 'none', now() from conversations
    returning conversation_id as id`);
  return publicId('conversation', row?.id ?? '');
}

/** The door's counters are written a moment later. */
async function knockWronglySigned(http: HttpApp, accountId: string): Promise<void> {
  const refused = await sendRetell(http, { id: accountId, secret: 'key_of_nobody' }, 'call_started', {});
  expect(refused.status).toBe(401);
  await eventually(async () => (await http.sql('select 1 from signature_failures')).length > 0);
}

/** A parked fact of a conversation. */
async function makeParkedFact(http: HttpApp, conversationId: string): Promise<string> {
  const id = newUuid();
  await http.sql(
    `insert into inbox (id, provider_account_id, identity_hash, source, kind, hash, received_at, key_day, sealed, state,
       parked_at, parked_reason)
     select $1, provider_account_id, identity_hash, 'webhook', 'call_ended', '\\x00', now(), current_date, '\\x00', 'parked',
       now(), 'open_failed'
     from conversation_identities where id = $2`,
    [id, uuidOf('conversation', conversationId)],
  );
  return publicId('parkedFact', id);
}
