// Receives webhooks: verifies the signature over the raw bytes and stores the fact. Nothing else happens before the 200.
import { AppError } from '../common/errors.js';
import { uuidOf } from '../common/ids.js';
import type { Json } from '../providers/provider-fact.js';
import { clientOfAgent, type ProviderAccount, type ProviderAccounts } from '../providers/provider-accounts.js';
import type { SignedRequest } from '../providers/provider.js';
import { providerNamed } from '../providers/providers.js';
import type { Inbox } from './inbox.js';
import type { WebhookHealth } from './webhook-health.js';

/** How old a cached account may be when a signature fails: a flood of forged webhooks costs at most four queries a second. */
const FRESH_MS = 250;

export type Received = 'stored' | 'duplicate' | 'unknown';

/** What happened to a webhook; enumerations only, for logs. */
export interface WebhookReceipt {
  provider: string;
  event: string;
  result: Received;
}

export class WebhookDoor {
  constructor(
    private readonly accounts: ProviderAccounts,
    private readonly inbox: Inbox,
    private readonly health: WebhookHealth,
  ) {}

  /**
   * Stores a webhook. Throws `not_found` (account), `invalid_signature` (missing, wrong, stale), `invalid_payload` (not a
   * JSON object), `storage_unavailable`. Unknown events and ids are stored as `unknown`.
   */
  async receive(accountId: string, request: Omit<SignedRequest, 'nowMs'>): Promise<WebhookReceipt> {
    const account = await this.verify(uuidOf('providerAccount', accountId), { ...request, nowMs: Date.now() });
    const provider = providerNamed(account.provider);
    const body = parseObject(request.rawBody);
    const conversation = provider.conversationOf(body);
    const event = conversation?.event ?? 'unknown';
    const stored = await this.inbox.append({
      account,
      identity: conversation && {
        ...conversation,
        clientId: clientOfAgent(account, conversation.providerAgentId),
      },
      source: 'webhook',
      kind: event,
      body: request.rawBody,
    });
    const result = !stored ? 'duplicate' : conversation === null ? 'unknown' : 'stored';
    return { provider: provider.name, event, result };
  }

  private async verify(id: string, request: SignedRequest): Promise<ProviderAccount> {
    const known = await this.accounts.find(id);
    if (known && isSignedFor(known, request)) return this.count(known, { isValid: true });
    // Re-read before refusing: the account or its secret may be new.
    const fresh = await this.accounts.find(id, { maxAgeMs: FRESH_MS });
    if (fresh === null || fresh.isDeleted) throw new AppError('not_found', 'there is no such provider account');
    if (isSignedFor(fresh, request)) return this.count(fresh, { isValid: true });
    this.count(fresh, { isValid: false });
    throw new AppError('invalid_signature', 'the signature is missing, invalid or stale');
  }

  private count(account: ProviderAccount, { isValid }: { isValid: boolean }): ProviderAccount {
    this.health.count(account, { isValid });
    return account;
  }
}

const isSignedFor = ({ isDeleted, provider, credentials }: ProviderAccount, request: SignedRequest): boolean =>
  !isDeleted && providerNamed(provider).verify(request, credentials);

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
