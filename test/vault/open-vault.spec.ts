import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AppError } from '../../src/common/errors.js';
import type { DataKey } from '../../src/vault/data-key.js';
import { ensureRootKey, openVault } from '../../src/vault/open-vault.js';
import { LocalRootKey } from '../../src/vault/root-key.js';
import { VaultService } from '../../src/vault/vault.service.js';
import { type KeystoreServer, startKeystore } from './keystore-server.js';

const hex = (key: DataKey) => key.use((bytes) => bytes.toString('hex'));

let own: KeystoreServer;
beforeAll(async () => {
  own = await startKeystore();
}, 60_000);
afterAll(() => own.stop());

describe('openVault', () => {
  it('lets an empty keystore adopt the root key, opens it again, and refuses any other root key', async () => {
    const settings = { keystoreUrl: own.url, rootKeyFile: join(own.folder, 'root.key') };
    await expect(openVault(settings)).rejects.toThrow('colloquy keys init');
    await ensureRootKey(settings);
    const ask = { conversationId: randomUUID(), clientId: randomUUID() };
    const first = await openVault(settings);
    const keys = await first.conversationKeys(ask, ['record']);
    await first.close();
    const second = await openVault(settings);
    const again = await second.existingConversationKeys(ask.conversationId, ['record']);
    expect(hex(again.get('record'))).toBe(hex(keys.get('record')));
    await second.close();
    const lost = { ...settings, rootKeyFile: join(own.folder, 'other.key') };
    await ensureRootKey(lost);
    await expect(openVault(lost)).rejects.toThrow('is missing but the keystore already holds keys');
    const rootKey = new LocalRootKey(Buffer.alloc(32, 1), 'The root key');
    const other = new VaultService({ pool: new Pool({ connectionString: own.url }), rootKey });
    await expect(other.verifyRootKey()).rejects.toMatchObject({
      reason: 'root_key',
      message: 'The root key does not open this keystore: its keys were wrapped by another root key',
    });
    const asked = other.existingConversationKeys(ask.conversationId, ['record']);
    await expect(asked).rejects.toMatchObject({ reason: 'open_failed' });
    await other.close();
  });

  it('reports an unavailable keystore, and works again without a restart', async () => {
    const vault = await openVault({ keystoreUrl: own.url, rootKeyFile: join(own.folder, 'root.key') });
    await vault.ping();
    await own.restart(async () => {
      await expect(vault.ping()).rejects.toMatchObject({ code: 'keystore_unavailable' });
      const asked = vault.conversationKeys({ conversationId: randomUUID(), clientId: randomUUID() }, ['record']);
      await expect(asked).rejects.toThrow(AppError);
    });
    await vault.ping();
    await vault.close();
    const nowhere = openVault({
      keystoreUrl: 'postgres://u:p@127.0.0.1:1/x',
      rootKeyFile: join(own.folder, 'none.key'),
    });
    await expect(nowhere).rejects.toMatchObject({ code: 'keystore_unavailable' });
  });
});
