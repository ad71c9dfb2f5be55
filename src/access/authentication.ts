// Finds the caller of a request by its API key. Failures are counted, logged, and limited before the database is asked.
import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { AppError } from '../common/errors.js';
import { countFailedAuthentication } from './failed-authentications.js';
import type { Caller, KnownCaller } from './caller.js';
import { FailureLimit } from './failure-limit.js';
import { KeyDirectory, KeyRefused, type PresentedKey } from './key-directory.js';
import { SecurityEvents } from './security-events.js';
import { sourceOf, type Source } from './source.js';

@Injectable()
export class Authentication {
  /** Look-ups under way, by source and key. */
  private readonly pending = new Map<string, Promise<KnownCaller>>();

  constructor(
    private readonly keys: KeyDirectory,
    private readonly failures: FailureLimit,
    private readonly events: SecurityEvents,
  ) {}

  /** Throws `unauthenticated`, `key_expired`, `key_revoked`, `rate_limited`, `storage_unavailable`. */
  async authenticate(request: FastifyRequest): Promise<Caller> {
    const source = sourceOf(request);
    const presented = this.keys.recognise(bearerOf(request.headers.authorization));
    // Known keys bypass the failure limit: strangers on the same address must not lock their holders out.
    const caller = await (presented.isKnown ? this.find(presented, source) : this.findNew(presented, source));
    return { ...caller, source };
  }

  /**
   * Looks up a key that this process has not yet seen to be valid. Concurrent requests with the same key count as one
   * failure until the answer is known; otherwise a process that has just started would refuse busy holders.
   */
  private async findNew(presented: PresentedKey, source: Source): Promise<KnownCaller> {
    const name = `${source.tag} ${presented.name}`;
    const first = this.pending.get(name);
    if (first !== undefined) {
      return first.catch((error: unknown) => {
        if (error instanceof KeyRefused) return this.findCounted(presented, source);
        throw error;
      });
    }
    const found = this.findCounted(presented, source).finally(() => this.pending.delete(name));
    this.pending.set(name, found);
    return found;
  }

  /** Counts a failure in advance, and takes it back unless the key is refused. */
  private async findCounted(presented: PresentedKey, source: Source): Promise<KnownCaller> {
    await this.failures.take(source, () => this.events.record('authentication.limited', source));
    let isRefused = false;
    try {
      return await this.find(presented, source);
    } catch (error) {
      isRefused = error instanceof KeyRefused;
      throw error;
    } finally {
      if (!isRefused) await this.failures.giveBack(source);
    }
  }

  private async find(presented: PresentedKey, source: Source): Promise<KnownCaller> {
    try {
      return await this.keys.find(presented);
    } catch (error) {
      if (error instanceof KeyRefused) {
        countFailedAuthentication(error.refusal);
        this.events.record('authentication.failed', source, { reason: error.refusal, key_id: error.keyName });
      }
      throw error;
    }
  }
}

/** A header without a token costs no look-up: it appears in the metric, and does not count towards the limit. */
function bearerOf(header: string | undefined): string {
  const token = /^Bearer +([^\s,]+) *$/i.exec(header ?? '')?.[1];
  if (token !== undefined) return token;
  countFailedAuthentication('missing');
  throw new AppError('unauthenticated', 'send Authorization: Bearer clq_…');
}
