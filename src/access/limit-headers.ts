// The response headers of a rate limit, as in draft-ietf-httpapi-ratelimit-headers-10 (structured fields).
import type { RateLimiterRes } from 'rate-limiter-flexible';

export const secondsUntil = ({ msBeforeNext }: RateLimiterRes): number => Math.max(1, Math.ceil(msBeforeNext / 1000));

export const limitHeaders = (
  name: string,
  { quota, windowSeconds }: { quota: number; windowSeconds: number },
  state: RateLimiterRes,
): Record<string, string> => ({
  'ratelimit-policy': `"${name}";q=${quota};w=${windowSeconds}`,
  ratelimit: `"${name}";r=${Math.max(0, state.remainingPoints)};t=${secondsUntil(state)}`,
});
