// Whether Temporal carries out calls, as far as this process knows.
import { Injectable } from '@nestjs/common';

const RECENT_MS = 30_000;

@Injectable()
export class Contact {
  private acceptedAt = -Infinity;

  /** Temporal has carried out a call. */
  accepted(): void {
    this.acceptedAt = performance.now();
  }

  /** It has within the last 30 s. */
  get isServing(): boolean {
    return performance.now() - this.acceptedAt < RECENT_MS;
  }
}
