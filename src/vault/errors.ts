// What can go wrong in the vault. No message holds content, a key or a value that was sealed.
import { AppError } from '../common/errors.js';

export type VaultFailure = 'open_failed' | 'key_missing' | 'wrong_owner' | 'root_key';

/**
 * The vault cannot do what was asked:
 * - `open_failed`: wrong key, wrong purpose or context, or the sealed bytes were truncated or altered; which one is not told
 * - `key_missing`: there is no such key, and this call does not make one
 * - `wrong_owner`: the key belongs to another client than the caller names
 * - `root_key`: the root key is absent, unsafe or not the one of this keystore; the message is one sentence for the operator
 *
 * A caller of the API sees `internal`, because none of these is the caller's fault.
 */
export class VaultError extends AppError {
  readonly reason: VaultFailure;

  constructor(reason: VaultFailure, detail: string, cause?: unknown) {
    super('internal', detail, { cause });
    this.name = 'VaultError';
    this.reason = reason;
  }
}

/** The key was destroyed, so what it sealed is gone for good and nothing may be sealed in its name again: 410 `erased`. */
export class KeyDestroyed extends AppError {
  readonly destroyedAt: Date;

  constructor(destroyedAt: Date) {
    super('erased', 'The content was erased', { members: { erased_at: destroyedAt.toISOString() } });
    this.name = 'KeyDestroyed';
    this.destroyedAt = destroyedAt;
  }
}
