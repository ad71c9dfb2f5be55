// Keys that sign values which callers send back to us, such as cursors. Derived from the system client's key, so that all
// processes have the same.
import { createHmac } from 'node:crypto';
import type { DataKey } from './data-key.js';
import { SYSTEM_CLIENT, type VaultService } from './vault.service.js';

export type SigningPurpose = 'cursor' | 'idempotency';

export class SigningKeys {
  private readonly keys = new Map<SigningPurpose, DataKey>();

  constructor(private readonly vault: VaultService) {}

  /** HMAC-SHA-256 of `message`, 32 bytes. Throws `keystore_unavailable` if the key is not in memory and cannot be read. */
  async sign(purpose: SigningPurpose, message: string | Buffer): Promise<Buffer> {
    const key = this.keys.get(purpose) ?? (await this.derive(purpose));
    return key.use((bytes) => createHmac('sha256', bytes).update(message).digest());
  }

  private async derive(purpose: SigningPurpose): Promise<DataKey> {
    // A subkey has its own memory, so the vault may wipe the key it was derived from.
    const key = (await this.vault.clientKey(SYSTEM_CLIENT)).subkey(purpose);
    this.keys.set(purpose, key);
    return key;
  }
}
