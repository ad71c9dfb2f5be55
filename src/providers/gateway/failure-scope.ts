// One listed conversation is not given: is that its own trouble, so that the walk goes on, or the account's? Pure.
import type { ProviderError } from '../provider.js';
import { INSIST, NotWelcome } from './persistence.js';

export type Blame = 'conversation' | 'account' | 'unclear';

/** How another conversation of the account was answered meanwhile. `unasked`: there is none, or it could not be asked for. */
export type ProbeResult = 'answered' | 'failed' | 'unasked';

/** Credentials or an address that are refused, and a provider that has had enough, concern every conversation. */
const OF_THE_ACCOUNT = new Set<number | null>([401, 403, 429]);
/** Without a witness, from this attempt at the stretch on: after some three minutes. */
const PATIENT_ATTEMPTS = 5;

/** Who is to blame for what is left of a request when all its tries have failed. */
export function blameOf(error: ProviderError): Blame {
  // Told to stay away for long, nobody of the account may be asked, not even a witness.
  const isSentAway = error instanceof NotWelcome || (error.retryAfterMs ?? 0) > INSIST.patienceMs;
  const isBarred = error.problem === 'address_not_allowed';
  if (isSentAway || isBarred || OF_THE_ACCOUNT.has(error.status)) return 'account';
  return error.retryable ? 'unclear' : 'conversation';
}

/** Where it is unclear: one that fails while another is answered is passed over; while all fail, it is waited for. */
export const mayPassOver = (witness: ProbeResult, attempt: number): boolean =>
  witness === 'answered' || (witness === 'unasked' && attempt >= PATIENT_ATTEMPTS);
