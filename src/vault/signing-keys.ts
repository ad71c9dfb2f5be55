// Keys that sign what leaves this installation and comes back: derived from the system's key, the same in all processes.
import { createHmac } from 'node:crypto';
import type { DataKey } from './data-key.js';
import { SYSTEM_CLIENT, type VaultService } from './vault.service.js';

export type SigningPurpose = 'cursor' | 'idempotency';

export class SigningKeys {
  private readonly keys = new Map<SigningPurpose, DataKey>();

  constructor(private readonly vault: VaultService) {}

  /** HMAC-SHA-256 of `message`, 32 bytes. Throws `keystore_unavailable` when the key was never had and cannot be got. */
  async sign(purpose: SigningPurpose, message: string | Buffer): Promise<Buffer> {
    const key = this.keys.get(purpose) ?? (await this.derive(purpose));
    return key.use((bytes) => createHmac('sha256', bytes).update(message).digest());
  }

  private async derive(purpose: SigningPurpose): Promise<DataKey> {
    // Subkeys have memory of their own: the vault may wipe the key they come from.
    const key = (await this.vault.clientKey(SYSTEM_CLIENT)).subkey(purpose);
    this.keys.set(purpose, key);
    return key;
  }
}
