// A provider's webhook: verified on the raw bytes, stored, answered. Nothing else happens before the 200.
import { AppError } from '../common/errors.js';
import { uuidOf } from '../common/ids.js';
import type { Json } from '../providers/provider-fact.js';
import { clientOfAgent, type ProviderAccount, type ProviderAccounts } from '../providers/provider-accounts.js';
import type { SignedRequest } from '../providers/provider.js';
import { providerNamed } from '../providers/providers.js';
import type { Inbox } from './inbox.js';

export type Received = 'stored' | 'duplicate' | 'unknown';

/** What became of a webhook, in enumerations: for logs. */
export interface WebhookReceipt {
  provider: string;
  event: string;
  result: Received;
}

export class WebhookDoor {
  constructor(
    private readonly accounts: ProviderAccounts,
    private readonly inbox: Inbox,
  ) {}

  /**
   * Stores a webhook. Throws `not_found` (account), `invalid_signature` (missing, wrong, stale), `invalid_payload` (not a
   * JSON object), `storage_unavailable`. An event or id that we do not know is kept as `unknown`.
   */
  async receive(accountId: string, request: Omit<SignedRequest, 'nowMs'>): Promise<WebhookReceipt> {
    const account = await this.verified(uuidOf('providerAccount', accountId), { ...request, nowMs: Date.now() });
    const provider = providerNamed(account.provider);
    const body = parseObject(request.rawBody);
    const subject = provider.subject(body);
    const event = subject?.event ?? 'unknown';
    const stored = await this.inbox.append({
      account,
      identity: subject && { ...subject, clientId: clientOfAgent(account, subject.providerAgentId) },
      source: 'webhook',
      kind: event,
      body: request.rawBody,
    });
    const result = !stored ? 'duplicate' : subject === null ? 'unknown' : 'stored';
    return { provider: provider.name, event, result };
  }

  private async verified(id: string, request: SignedRequest): Promise<ProviderAccount> {
    const known = await this.accounts.find(id);
    if (known && !known.isDeleted && providerNamed(known.provider).verify(request, known.credentials)) return known;
    // Before saying no: the account or its secret may have been made a moment ago.
    const fresh = await this.accounts.find(id, { fresh: true });
    if (fresh === null || fresh.isDeleted) throw new AppError('not_found', 'there is no such provider account');
    if (providerNamed(fresh.provider).verify(request, fresh.credentials)) return fresh;
    throw new AppError('invalid_signature', 'the signature is missing, does not fit the body, or is stale');
  }
}

function parseObject(rawBody: Buffer): Json {
  let body: Json;
  try {
    body = JSON.parse(rawBody.toString('utf8')) as Json;
  } catch (cause) {
    throw new AppError('invalid_payload', 'the body is not JSON', { cause });
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new AppError('invalid_payload', 'the body is not a JSON object');
  }
  return body;
}
