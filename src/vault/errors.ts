// Errors of the vault. No message contains content, a key or a sealed value.
import { AppError } from '../common/errors.js';

export type VaultFailure = 'open_failed' | 'key_missing' | 'wrong_owner' | 'root_key';

/**
 * A vault operation failed:
 * - `open_failed`: wrong key, purpose or context, or the sealed bytes were truncated or altered; the cipher cannot tell which
 * - `key_missing`: there is no such key, and this call does not create one
 * - `wrong_owner`: the key belongs to another client than the caller named
 * - `root_key`: the root key is missing, unsafe or not the one of this keystore; the message is one sentence for the operator
 *
 * API callers see `internal`, because none of these is their fault.
 */
export class VaultError extends AppError {
  readonly reason: VaultFailure;

  constructor(reason: VaultFailure, detail: string, cause?: unknown) {
    super('internal', detail, { cause });
    this.name = 'VaultError';
    this.reason = reason;
  }
}

/** The key was destroyed: what it sealed is gone for good, and no new key may replace it. 410 `erased`. */
export class KeyDestroyed extends AppError {
  readonly destroyedAt: Date;

  constructor(destroyedAt: Date) {
    super('erased', 'The content was erased', { members: { erased_at: destroyedAt.toISOString() } });
    this.name = 'KeyDestroyed';
    this.destroyedAt = destroyedAt;
  }
}
