// Metric: refused authentications by reason.
import { Counter } from 'prom-client';

export type AuthenticationFailure = 'missing' | 'malformed' | 'unknown' | 'retired' | 'revoked' | 'expired' | 'limited';

export const failedAuthentications = new Counter<'reason'>({
  name: 'colloquy_failed_authentications_total',
  help: 'Requests without a valid key, by reason; limited: refused without checking the key',
  labelNames: ['reason'],
  registers: [],
});

export function countFailedAuthentication(reason: AuthenticationFailure): void {
  failedAuthentications.inc({ reason });
}
