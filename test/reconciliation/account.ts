// Helpers: an account registered through the API, and its past at the simulated provider.
import { randomUUID } from 'node:crypto';
import { publicId, uuidOf } from '../../src/common/ids.js';
import type { LivePollHealth } from '../../src/reconciliation/live-poll-row.js';
import type { Api } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import type { Installation } from '../support/installation.js';

const MINUTE_MS = 60_000;

export interface Progress {
  status: string;
  checked: number;
  added: number;
  skipped: number;
  done_until: string | null;
  completed_at: string | null;
  last_error: string | null;
}

/** Adds finished, analysed calls spread evenly over the last `days`; returns their ids, oldest first. */
export function addPast({ retell }: Pick<Installation, 'retell'>, count: number, days: number): string[] {
  const spanMs = days * 24 * 60 * MINUTE_MS - 20 * MINUTE_MS;
  return Array.from({ length: count }, (_, index) => {
    const ago = 10 * MINUTE_MS + Math.round((spanMs * (count - index)) / count);
    const fields = { end_timestamp: Date.now() - ago, duration_ms: 30_000 + (index % 60) * 1_000 };
    return retell.addCompleteCall(fields, `past ${index}`).call_id;
  });
}

/** Registers the simulated workspace as an account; resolves with its public id. */
export async function addAccount(
  { retell, clientId }: Installation,
  api: Api,
  fields: Record<string, unknown> = {},
): Promise<string> {
  const body = {
    provider: 'retell',
    name: 'past',
    client_id: publicId('client', clientId),
    api_key: retell.apiKey,
    base_url: retell.baseUrl,
    ...fields,
  };
  const key = api.adminKey;
  const made = await api.call('POST', '/v1/provider-accounts', {
    key,
    body,
    headers: { 'idempotency-key': randomUUID() },
  });
  if (made.status !== 201) throw new Error(`the account was not made: ${made.text}`);
  return String(made.body['id']);
}

export async function progressOf(api: Api, accountId: string): Promise<Progress> {
  const { body } = await api.call('GET', `/v1/provider-accounts/${accountId}`, { key: api.adminKey });
  return body['backfill'] as Progress;
}

/** The last poll of an account; null: it is not polled. */
export async function healthOf(api: Api, accountId: string): Promise<LivePollHealth | null> {
  const { body } = await api.call('GET', `/v1/provider-accounts/${accountId}`, { key: api.adminKey });
  return (body['health'] as { live_poll: LivePollHealth | null }).live_poll;
}

export const backfilled = (api: Api, accountId: string, seconds = 60): Promise<Progress> =>
  eventually(async () => {
    const progress = await progressOf(api, accountId);
    return progress.status === 'completed' ? progress : undefined;
  }, seconds);

/** Sends a webhook to an account as Retell would. */
export function sendTo({ retell, door }: Installation, accountId: string, event: string, callId: string) {
  const body = retell.webhookBody(event, callId);
  return door.receive(accountId, {
    rawBody: Buffer.from(body),
    headers: { 'x-retell-signature': retell.sign(body) },
  });
}

export interface StoredCall {
  id: string;
  record_state: string;
  audio_state: string;
  hash: string;
}

/** Conversations of an account. */
export async function conversationsOf({ sql }: Installation, accountId: string): Promise<StoredCall[]> {
  const text = `
    select c.id, c.record_state, c.audio_state, encode(i.identity_hash, 'hex') as hash
    from conversations c join conversation_identities i on i.id = c.id where c.provider_account_id = $1`;
  return (await sql.query<StoredCall>(text, [uuidOf('providerAccount', accountId)])).rows;
}

/** The conversation of a Retell call, if there is one. */
export async function conversationOf(
  colloquy: Installation,
  accountId: string,
  callId: string,
): Promise<StoredCall | undefined> {
  const owner = { providerAccountId: uuidOf('providerAccount', accountId), clientId: colloquy.clientId };
  const hash = (await colloquy.vault.identityHasher(owner)).hash('provider_id', 'call', callId).toString('hex');
  return (await conversationsOf(colloquy, accountId)).find((found) => found.hash === hash);
}

/** How often each call's record or recording was requested: number of requests → number of calls. */
export function requestCounts(colloquy: Installation, callIds: string[], kind: 'get' | 'audio'): Map<number, number> {
  const byCall = new Map(callIds.map((callId) => [callId, 0]));
  for (const { path } of colloquy.retell.requests) {
    const callId = (kind === 'get' ? /^\/v2\/get-call\/([^/?]+)/ : /^\/recordings\/([^./?]+)/).exec(path)?.[1];
    const known = callId === undefined ? undefined : byCall.get(callId);
    if (callId !== undefined && known !== undefined) byCall.set(callId, known + 1);
  }
  const counts = new Map<number, number>();
  for (const count of byCall.values()) counts.set(count, (counts.get(count) ?? 0) + 1);
  return counts;
}

/** Workflows of conversations that were ever started in the installation's namespace. */
export async function startedConversations({ temporal }: Installation): Promise<number> {
  const { count } = await temporal.workflow.count("WorkflowType = 'conversation'");
  return count;
}
