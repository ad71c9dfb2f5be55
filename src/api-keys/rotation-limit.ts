// Limits how often a key is rotated: every replaced secret is stored for ever, and each rotation empties the key cache of all
// processes.
import { Injectable } from '@nestjs/common';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { AppError } from '../common/errors.js';
import { secondsUntil } from '../access/limit-headers.js';

const QUOTA = 20;
const WINDOW_SECONDS = 3_600;

@Injectable()
export class RotationLimit {
  private readonly limiter = new RateLimiterMemory({ points: QUOTA, duration: WINDOW_SECONDS, keyPrefix: '' });

  /** Counts a rotation of this key in this process. Throws `rate_limited`. */
  async take(keyId: string): Promise<void> {
    try {
      await this.limiter.consume(keyId);
    } catch (refused) {
      if (!(refused instanceof RateLimiterRes)) throw refused;
      const headers = { 'retry-after': String(secondsUntil(refused)) };
      throw new AppError('rate_limited', `a key is rotated at most ${QUOTA} times an hour`, { headers });
    }
  }
}
