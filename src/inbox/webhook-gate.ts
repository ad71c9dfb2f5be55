// Refuses webhooks before their body is read: by account, length, signature header, and the bytes in flight.
import type { FastifyReply, FastifyRequest } from 'fastify';
import { BytesInFlight } from '../http/bytes-in-flight.js';
import { RAW_LIMIT_BYTES } from '../http/body-parser.js';
import { AppError } from '../common/errors.js';
import { uuidOf } from '../common/ids.js';
import { tooLarge } from '../http/read-body.js';
import { providerNamed } from '../providers/providers.js';
import type { KnownAccounts } from './known-accounts.js';
import type { WebhookHealth } from './webhook-health.js';

const MIB = 1024 * 1024;
/** Limits on bodies in flight. An account may have one body of maximum size and many small ones. */
const LIMITS = { perOwner: 96 * MIB, total: 256 * MIB, smallBytes: MIB / 4 };

export class WebhookGate {
  private readonly bytes = new BytesInFlight(LIMITS);

  constructor(
    private readonly accounts: KnownAccounts,
    private readonly health: WebhookHealth,
  ) {}

  /**
   * Fastify's onRequest hook of the webhook route. Throws `invalid_id`, `too_large`, `not_found`, `invalid_signature`, and
   * `storage_unavailable` if too many bytes are in flight.
   */
  async check(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const { headers } = request;
    const { provider_account_id: publicId = '' } = request.params as { provider_account_id?: string };
    const id = uuidOf('providerAccount', publicId, 'provider_account_id');
    const length = Number(headers['content-length'] ?? 0);
    if (length > RAW_LIMIT_BYTES) throw tooLarge(RAW_LIMIT_BYTES);
    const account = await this.accounts.find(id);
    if (account === null) throw new AppError('not_found', 'there is no such provider account');
    if (!providerNamed(account.provider).isSigned({ headers, nowMs: Date.now() })) {
      this.health.count(account, { isValid: false });
      throw new AppError('invalid_signature', 'the signature is missing, malformed or stale');
    }
    const held = this.bytes.begin(id, length);
    request.heldBytes = held;
    reply.raw.once('close', () => held.release());
  }
}
