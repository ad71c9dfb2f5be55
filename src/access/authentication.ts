// Who sends a request. Failures are counted, told with their source, and limited before anything asks the database.
import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { AppError } from '../common/errors.js';
import { authenticationFailed } from './failed-authentications.js';
import type { Caller, KnownCaller } from './caller.js';
import { FailureLimit } from './failure-limit.js';
import { KeyDirectory, KeyRefused, type Presented } from './key-directory.js';
import { SecurityEvents } from './security-events.js';
import { sourceOf, type Source } from './source.js';

@Injectable()
export class Authentication {
  /** By source and key, for as long as it takes. */
  private readonly lookedUp = new Map<string, Promise<KnownCaller>>();

  constructor(
    private readonly keys: KeyDirectory,
    private readonly failures: FailureLimit,
    private readonly events: SecurityEvents,
  ) {}

  /** Throws `unauthenticated`, `key_expired`, `key_revoked`, `rate_limited`, `storage_unavailable`. */
  async of(request: FastifyRequest): Promise<Caller> {
    const source = sourceOf(request);
    const presented = this.keys.recognise(bearerOf(request.headers.authorization));
    // Keys in use pass, however many strangers share their address.
    const caller = await (presented.isKnown ? this.find(presented, source) : this.findNew(presented, source));
    return { ...caller, source };
  }

  /**
   * A key that this process has not seen work. Requests that come with it at once count as one until it is known whether it
   * works: a process that has just started has seen nobody's.
   */
  private async findNew(presented: Presented, source: Source): Promise<KnownCaller> {
    const name = `${source.tag} ${presented.name}`;
    const first = this.lookedUp.get(name);
    if (first !== undefined) {
      return first.catch((error: unknown) => {
        if (error instanceof KeyRefused) return this.findCounted(presented, source);
        throw error;
      });
    }
    const found = this.findCounted(presented, source).finally(() => this.lookedUp.delete(name));
    this.lookedUp.set(name, found);
    return found;
  }

  /** Counts as a failure until it turns out to be none, or not the caller's. */
  private async findCounted(presented: Presented, source: Source): Promise<KnownCaller> {
    await this.failures.take(source, () => this.events.tell('authentication.limited', source));
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

  private async find(presented: Presented, source: Source): Promise<KnownCaller> {
    try {
      return await this.keys.find(presented);
    } catch (error) {
      if (error instanceof KeyRefused) {
        authenticationFailed(error.refusal);
        this.events.tell('authentication.failed', source, { reason: error.refusal, key_id: error.keyName });
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
