// The expiry of a key: as requested, within the lifetime that the settings allow.
import { AppError } from '../common/errors.js';

const DAY_MS = 86_400_000;

/**
 * The expiry of a key; null: never. `requested` undefined: as late as allowed. `lifetimeDays` null: no limit. Throws
 * `invalid_request` for a time beyond the limit, and for `null` if there is a limit.
 */
export function expiryOf(
  requested: Date | null | undefined,
  lifetimeDays: number | null,
  now = Date.now(),
): Date | null {
  if (lifetimeDays === null) return requested ?? null;
  const latest = new Date(now + lifetimeDays * DAY_MS);
  if (requested === undefined) return latest;
  if (requested !== null && requested <= latest) return requested;
  const detail = `must be within ${lifetimeDays} days (COLLOQUY_KEY_LIFETIME_DAYS)`;
  throw new AppError('invalid_request', `expires_at ${detail}`, { errors: [{ pointer: '/expires_at', detail }] });
}
