// Whether Temporal has recently carried out calls of this process.
import { Injectable } from '@nestjs/common';

const RECENT_MS = 30_000;

@Injectable()
export class Contact {
  private acceptedAt = -Infinity;

  /** Records that Temporal carried out a call. */
  accepted(): void {
    this.acceptedAt = performance.now();
  }

  /** Temporal carried out a call within the last 30 s. */
  get isServing(): boolean {
    return performance.now() - this.acceptedAt < RECENT_MS;
  }
}
