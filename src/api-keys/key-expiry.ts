// When a key ends: as asked for, within the longest life that the settings allow.
import { AppError } from '../common/errors.js';

const DAY_MS = 86_400_000;

/**
 * The time at which a key ends; null: never. `asked` undefined: as late as may be. `lifetimeDays` null: keys may live for
 * ever. Throws `invalid_request` for a time beyond the longest life, and for `null` when there is one.
 */
export function expiryOf(asked: Date | null | undefined, lifetimeDays: number | null, now = Date.now()): Date | null {
  if (lifetimeDays === null) return asked ?? null;
  const latest = new Date(now + lifetimeDays * DAY_MS);
  if (asked === undefined) return latest;
  if (asked !== null && asked <= latest) return asked;
  const detail = `must be within ${lifetimeDays} days (COLLOQUY_KEY_LIFETIME_DAYS)`;
  throw new AppError('invalid_request', `expires_at ${detail}`, { errors: [{ pointer: '/expires_at', detail }] });
}
