// Requests a second and key, counted in this process: n processes behind a balancer allow up to n times as many.
// Headers as in draft-ietf-httpapi-ratelimit-headers-10 (structured fields).
import { Inject, Injectable } from '@nestjs/common';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { AppError } from '../common/errors.js';
import { CONFIG } from '../common/settings.js';
import type { Config } from '../config/config.js';

const WINDOW_SECONDS = 1;

@Injectable()
export class RequestLimit {
  private readonly limiter: RateLimiterMemory | null;
  private readonly quota: number;

  constructor(@Inject(CONFIG) { rateLimit }: Config) {
    this.quota = rateLimit;
    this.limiter =
      rateLimit === 0 ? null : new RateLimiterMemory({ points: rateLimit, duration: WINDOW_SECONDS, keyPrefix: '' });
  }

  /** Counts a request; the headers that tell what is left. Throws `rate_limited`. */
  async take(keyId: string): Promise<Record<string, string>> {
    if (this.limiter === null) return {};
    try {
      return this.headers(await this.limiter.consume(keyId));
    } catch (refused) {
      if (!(refused instanceof RateLimiterRes)) throw refused;
      const headers = { ...this.headers(refused), 'retry-after': String(secondsUntil(refused)) };
      const detail = `at most ${this.quota} requests a second with one key`;
      throw new AppError('rate_limited', detail, { headers });
    }
  }

  private headers(state: RateLimiterRes): Record<string, string> {
    return {
      'ratelimit-policy': `"key";q=${this.quota};w=${WINDOW_SECONDS}`,
      ratelimit: `"key";r=${Math.max(0, state.remainingPoints)};t=${secondsUntil(state)}`,
    };
  }
}

const secondsUntil = ({ msBeforeNext }: RateLimiterRes): number => Math.max(1, Math.ceil(msBeforeNext / 1000));
