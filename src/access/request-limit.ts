// Limits requests per second and key, counted in this process: n processes behind a load balancer allow up to n times as many.
import { Inject, Injectable } from '@nestjs/common';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { AppError } from '../common/errors.js';
import { CONFIG } from '../config/config.module.js';
import type { Config } from '../config/config.js';
import { limitHeaders, secondsUntil } from './limit-headers.js';

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

  /** Counts a request and returns the headers that say how many are left. Throws `rate_limited`. */
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
    return limitHeaders('key', { quota: this.quota, windowSeconds: WINDOW_SECONDS }, state);
  }
}
