// Limits failed authentications per source address, counted in this process. A key that this process does not know counts as
// a failure until it turns out to be valid, so that concurrent guesses cannot exceed the limit. Known keys are never counted.
import { Inject, Injectable } from '@nestjs/common';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { AppError } from '../common/errors.js';
import { CONFIG } from '../config/config.module.js';
import type { Config } from '../config/config.js';
import { countFailedAuthentication } from './failed-authentications.js';
import { limitHeaders, secondsUntil } from './limit-headers.js';
import { bucketOf, type Source } from './source.js';

const WINDOW_SECONDS = 60;

@Injectable()
export class FailureLimit {
  private readonly limiter: RateLimiterMemory | null;
  private readonly quota: number;

  constructor(@Inject(CONFIG) { failedAuthLimit }: Config) {
    this.quota = failedAuthLimit;
    this.limiter =
      failedAuthLimit === 0
        ? null
        : new RateLimiterMemory({ points: failedAuthLimit, duration: WINDOW_SECONDS, keyPrefix: '' });
  }

  /** Counts a failure; `onFirst` runs at the first refusal of a window. Throws `rate_limited`. */
  async take({ address }: Source, onFirst: () => void): Promise<void> {
    if (this.limiter === null) return;
    try {
      await this.limiter.consume(bucketOf(address));
    } catch (refused) {
      if (!(refused instanceof RateLimiterRes)) throw refused;
      countFailedAuthentication('limited');
      if (refused.consumedPoints === this.quota + 1) onFirst();
      const headers = {
        ...limitHeaders('address', { quota: this.quota, windowSeconds: WINDOW_SECONDS }, refused),
        'retry-after': String(secondsUntil(refused)),
      };
      const detail = `at most ${this.quota} failed authentications a minute from one address`;
      throw new AppError('rate_limited', detail, { headers });
    }
  }

  /** Takes a counted failure back: the key is valid, or could not be checked. */
  async giveBack({ address }: Source): Promise<void> {
    await this.limiter?.reward(bucketOf(address));
  }
}
