// Who sends a request. Failures are counted, told with their source, and limited before anything asks the database.
import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { AppError } from '../common/errors.js';
import { authenticationFailed } from './failed-authentications.js';
import type { Caller } from './caller.js';
import { FailureLimit } from './failure-limit.js';
import { KeyDirectory, KeyRefused, type Presented } from './key-directory.js';
import { SecurityEvents } from './security-events.js';
import { sourceOf, type Source } from './source.js';

@Injectable()
export class Authentication {
  constructor(
    private readonly keys: KeyDirectory,
    private readonly failures: FailureLimit,
    private readonly events: SecurityEvents,
  ) {}

  /** Throws `unauthenticated`, `key_expired`, `key_revoked`, `rate_limited`, `storage_unavailable`. */
  async of(request: FastifyRequest): Promise<Caller> {
    const source = sourceOf(request);
    const presented = this.keys.recognise(bearerOf(request.headers.authorization));
    const { isKnown } = presented;
    // Keys in use pass, however many strangers share their address.
    if (!isKnown) await this.failures.take(source, () => this.events.tell('authentication.limited', source));
    const caller = await this.find(presented, source);
    if (!isKnown) await this.failures.giveBack(source);
    return { ...caller, source };
  }

  private async find(presented: Presented, source: Source): ReturnType<KeyDirectory['find']> {
    try {
      return await this.keys.find(presented);
    } catch (error) {
      if (error instanceof KeyRefused) {
        authenticationFailed(error.refusal);
        this.events.tell('authentication.failed', source, { reason: error.refusal, key_id: error.keyName });
      } else if (error instanceof AppError && error.code === 'storage_unavailable') {
        // Not the caller's fault.
        await this.failures.giveBack(source);
      }
      throw error;
    }
  }
}

/** A header that holds no token at all costs nothing, and is counted alone. */
function bearerOf(header: string | undefined): string {
  const token = /^Bearer +([^\s,]+) *$/i.exec(header ?? '')?.[1];
  if (token !== undefined) return token;
  authenticationFailed('missing');
  throw new AppError('unauthenticated', 'send Authorization: Bearer clq_…');
}
