// Idempotency keys count for 24 h. Apart from idempotency.ts, since a worker sweeps them and has no use for Nest.
import type { Transaction } from '../database/with-scope.js';

const SWEEP = "delete from idempotency_keys where created_at < now() - interval '24 hours' returning 1 as swept";

/** Deletes the rows of more than 24 h ago; how many. */
export const sweepIdempotencyKeys = async (tx: Transaction): Promise<number> =>
  (await tx.query({ text: SWEEP })).length;
