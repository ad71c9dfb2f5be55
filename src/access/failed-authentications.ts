// How many callers were refused, and why. The API's metrics show it.
import { Counter } from 'prom-client';

export type AuthenticationFailure = 'missing' | 'malformed' | 'unknown' | 'retired' | 'revoked' | 'expired' | 'limited';

export const failedAuthentications = new Counter<'reason'>({
  name: 'colloquy_failed_authentications_total',
  help: 'Requests without a key that works: missing, malformed, unknown, retired, revoked, expired; limited: not looked at',
  labelNames: ['reason'],
  registers: [],
});

export function authenticationFailed(reason: AuthenticationFailure): void {
  failedAuthentications.inc({ reason });
}
