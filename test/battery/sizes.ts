// The battery runs in size `small` with the other tests and in size `whole` with `npm run battery` (vitest.battery.config.ts).
import { inject } from 'vitest';
import type { CrashPlan } from './crashes.js';
import type { TrafficPlan } from './traffic.js';

interface Sizes {
  traffic: TrafficPlan;
  crashes: CrashPlan;
  /** Erasures that race with the first application of the same conversation. */
  races: number;
  /** Seconds that Temporal stays down. */
  temporalAway: number;
  /** Seconds that Postgres stays down. */
  postgresAway: number;
  /** Seconds within which everything must have settled after the last webhook. */
  settle: number;
  /** Time limit of one test, in milliseconds. */
  timeoutMs: number;
}

declare module 'vitest' {
  export interface ProvidedContext {
    battery: 'small' | 'whole';
  }
}

const SIZES: Record<'small' | 'whole', Sizes> = {
  small: {
    traffic: { seed: 'small', conversations: 40, seconds: 6 },
    crashes: { seed: 'small', rounds: 1, apart: [300, 1_200], away: [100, 600] },
    races: 200,
    temporalAway: 5,
    postgresAway: 2,
    settle: 60,
    timeoutMs: 120_000,
  },
  whole: {
    traffic: { seed: 'whole', conversations: 500, seconds: 240 },
    crashes: { seed: 'whole', rounds: 6, apart: [500, 6_000], away: [100, 4_000] },
    races: 2_000,
    temporalAway: 60,
    postgresAway: 30,
    settle: 180,
    timeoutMs: 600_000,
  },
};

export const sizes = (): Sizes => SIZES[inject('battery')];
