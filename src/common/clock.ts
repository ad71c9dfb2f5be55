import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';

/** The current time and sleeping; tests substitute another one. */
@Injectable()
export class Clock {
  /** Epoch milliseconds. */
  now(): number {
    return Date.now();
  }

  /** Rejects when `signal` is aborted. */
  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    await sleep(ms, undefined, { signal });
  }
}
