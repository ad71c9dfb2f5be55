import { randomUUID } from 'node:crypto';
import { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DataKey } from '../../src/vault/data-key.js';
import { KeyDestroyed } from '../../src/vault/errors.js';
import { epochOf } from '../../src/vault/kek-epoch.js';
import { keystoreDataSource } from '../../src/vault/keystore/keystore-data-source.js';
import { LocalRootKey } from '../../src/vault/root-key.js';
import { open, seal } from '../../src/vault/sealing/sealing.js';
import { SYSTEM_CLIENT, VaultService } from '../../src/vault/vault.service.js';
import { type KeystoreServer, startKeystore } from './keystore-server.js';

const ROOT = Buffer.alloc(32, 0x5a);
const hex = (key: DataKey) => key.use((bytes) => bytes.toString('hex'));

let server: KeystoreServer;
let sql: Pool;
const opened: VaultService[] = [];

/** A vault as another process would have it: own pool, own cache. */
function vaultOf({ now }: { now?: () => Date } = {}): VaultService {
  const pool = new Pool({ connectionString: server.url, max: 5 });
  const vault = new VaultService({ pool, rootKey: new LocalRootKey(ROOT, 'The root key'), ...(now && { now }) });
  opened.push(vault);
  return vault;
}

beforeAll(async () => {
  server = await startKeystore();
  sql = new Pool({ connectionString: server.url, max: 2 });
  // end() does not wait until the server has seen it: the shutdown may still reach a connection.
  sql.on('error', () => undefined);
}, 60_000);

afterAll(async () => {
  await Promise.all(opened.map((vault) => vault.close()));
  await sql.end();
  await server.stop();
});

describe('conversationKey', () => {
  it('gives 20 callers in two processes the same key, when all ask at once', async () => {
    const ask = { conversationId: randomUUID(), clientId: randomUUID() };
    const vaults = [vaultOf(), vaultOf()];
    const keys = await Promise.all(
      Array.from({ length: 20 }, (_, index) => (vaults[index % 2] ?? vaultOf()).conversationKey(ask)),
    );
    expect(new Set(keys.map(hex)).size).toBe(1);
    const { rows } = await sql.query('SELECT count(*)::int AS keys FROM data_keys WHERE owner = $1', [
      ask.conversationId,
    ]);
    expect(rows).toEqual([{ keys: 1 }]);
    const keks = await sql.query('SELECT count(*)::int AS keks FROM keks WHERE client_id = $1', [ask.clientId]);
    expect(keks.rows).toEqual([{ keks: 1 }]);
  });

  it('is committed and wrapped under the epoch of today, when it comes back', async () => {
    const ask = { conversationId: randomUUID(), clientId: randomUUID() };
    await vaultOf().conversationKey(ask);
    const { rows } = await sql.query('SELECT purpose, part, client_id, epoch FROM data_keys WHERE owner = $1', [
      ask.conversationId,
    ]);
    expect(rows).toEqual([{ purpose: 'conversation', part: '', client_id: ask.clientId, epoch: epochOf(new Date()) }]);
  });

  it('opens old keys and makes new ones, when the epoch has changed', async () => {
    const clientId = randomUUID();
    const [before, after] = [
      { conversationId: randomUUID(), clientId },
      { conversationId: randomUUID(), clientId },
    ];
    const key = await vaultOf({ now: () => new Date('2026-01-01') }).conversationKey(before);
    const later = vaultOf({ now: () => new Date('2026-03-01') });
    expect(hex(await later.conversationKey(before))).toBe(hex(key));
    await later.conversationKey(after);
    const { rows } = await sql.query('SELECT epoch FROM keks WHERE client_id = $1 ORDER BY epoch', [clientId]);
    expect(rows).toEqual([{ epoch: epochOf(new Date('2026-01-01')) }, { epoch: epochOf(new Date('2026-03-01')) }]);
  });

  it('refuses the conversation of another client, from memory and from the database', async () => {
    const ask = { conversationId: randomUUID(), clientId: randomUUID() };
    const vault = vaultOf();
    await vault.conversationKey(ask);
    for (const asked of [vault, vaultOf()]) {
      const wrong = asked.conversationKey({ ...ask, clientId: randomUUID() });
      await expect(wrong).rejects.toMatchObject({ reason: 'wrong_owner' });
    }
  });

  it('refuses a key that was moved to another conversation inside the database', async () => {
    const clientId = randomUUID();
    const [from, to] = [randomUUID(), randomUUID()];
    for (const conversationId of [from, to]) await vaultOf().conversationKey({ conversationId, clientId });
    await sql.query(
      'UPDATE data_keys SET wrapped = (SELECT wrapped FROM data_keys WHERE owner = $1) WHERE owner = $2',
      [from, to],
    );
    await expect(vaultOf().existingConversationKey(to)).rejects.toMatchObject({ reason: 'open_failed' });
  });
});

describe('existing keys', () => {
  it('come back whole from one question, without the missing and the destroyed', async () => {
    const clientId = randomUUID();
    const ids = [randomUUID(), randomUUID(), randomUUID()];
    const writer = vaultOf();
    const keys = await Promise.all(ids.map((conversationId) => writer.conversationKey({ conversationId, clientId })));
    const destroyed = randomUUID();
    await writer.conversationKey({ conversationId: destroyed, clientId });
    await writer.destroyConversationKey(destroyed);
    const reader = vaultOf();
    for (const round of ['from the database', 'from memory']) {
      const found = await reader.existingConversationKeys([...ids, destroyed, randomUUID()]);
      expect([round, ...found.keys()].toSorted()).toEqual([round, ...ids].toSorted());
      for (const [index, id] of ids.entries())
        expect(found.get(id)?.use((b) => b.toString('hex'))).toBe(keys[index] && hex(keys[index]));
    }
    expect((await reader.existingConversationKeys([])).size).toBe(0);
  });

  it('are never made by a read', async () => {
    const conversationId = randomUUID();
    await expect(vaultOf().existingConversationKey(conversationId)).rejects.toMatchObject({ reason: 'key_missing' });
    expect((await sql.query('SELECT FROM data_keys WHERE owner = $1', [conversationId])).rowCount).toBe(0);
  });
});

describe('a destroyed key', () => {
  it('stays destroyed and is never made again, by anyone', async () => {
    const ask = { conversationId: randomUUID(), clientId: randomUUID() };
    const vault = vaultOf();
    const sealed = seal(await vault.conversationKey(ask), 'header', Buffer.from('x'));
    const destroyedAt = await vault.destroyConversationKey(ask.conversationId);
    for (const asked of [vault, vaultOf()]) {
      await expect(asked.conversationKey(ask)).rejects.toThrow(KeyDestroyed);
      await expect(asked.existingConversationKey(ask.conversationId)).rejects.toMatchObject({
        code: 'erased',
        destroyedAt,
      });
    }
    expect(await vault.destroyConversationKey(ask.conversationId)).toEqual(destroyedAt);
    const { rows } = await sql.query('SELECT wrapped FROM data_keys WHERE owner = $1', [ask.conversationId]);
    expect(rows).toEqual([{ wrapped: null }]);
    expect(sealed.length).toBeGreaterThan(0);
  });

  it('is a tombstone also where none was yet', async () => {
    const ask = { conversationId: randomUUID(), clientId: randomUUID() };
    await vaultOf().destroyConversationKey(ask.conversationId);
    await expect(vaultOf().conversationKey(ask)).rejects.toThrow(KeyDestroyed);
  });

  it('is not made again by a caller that races with the destruction', async () => {
    for (let round = 0; round < 10; round += 1) {
      const ask = { conversationId: randomUUID(), clientId: randomUUID() };
      const vaults = [vaultOf(), vaultOf()];
      const asks = vaults.flatMap((vault) => [vault.conversationKey(ask), vault.conversationKey(ask)]);
      const [destroyer = vaultOf()] = vaults;
      await Promise.allSettled([...asks, destroyer.destroyConversationKey(ask.conversationId)]);
      await expect(destroyer.conversationKey(ask)).rejects.toThrow(KeyDestroyed);
      await expect(vaultOf().conversationKey(ask)).rejects.toThrow(KeyDestroyed);
    }
  });

  it('is refused by the database in a half state', async () => {
    const half = sql.query('UPDATE data_keys SET destroyed_at = now() WHERE wrapped IS NOT NULL');
    await expect(half).rejects.toMatchObject({ constraint: 'data_keys_live_or_destroyed' });
  });

  it('follows from the destruction of its key-encryption key', async () => {
    const ask = { conversationId: randomUUID(), clientId: randomUUID() };
    await vaultOf().conversationKey(ask);
    await sql.query('UPDATE keks SET wrapped = NULL, destroyed_at = now() WHERE client_id = $1', [ask.clientId]);
    await expect(vaultOf().existingConversationKey(ask.conversationId)).rejects.toThrow(KeyDestroyed);
    const another = { ...ask, conversationId: randomUUID() };
    await expect(vaultOf().conversationKey(another)).rejects.toThrow(KeyDestroyed);
    expect((await vaultOf().existingConversationKeys([ask.conversationId])).size).toBe(0);
  });
});

describe('inbox keys', () => {
  it('are one per account and day, listed until destroyed, and gone for good then', async () => {
    const account = { providerAccountId: randomUUID(), clientId: randomUUID() };
    const vault = vaultOf();
    const keys = await Promise.all(
      ['2020-01-01', '2020-01-02', '2020-01-03'].map((day) => vault.inboxKey({ ...account, day })),
    );
    expect(new Set(keys.map(hex)).size).toBe(3);
    const days = async () =>
      (await vault.inboxKeyDays('2020-01-03'))
        .filter((one) => one.providerAccountId === account.providerAccountId)
        .map(({ day }) => day);
    expect(await days()).toEqual(['2020-01-01', '2020-01-02']);
    await vault.destroyInboxKey(account.providerAccountId, '2020-01-01');
    expect(await days()).toEqual(['2020-01-02']);
    await expect(vault.inboxKey({ ...account, day: '2020-01-01' })).rejects.toThrow(KeyDestroyed);
  });

  it('stay with the account, when it moves to another client', async () => {
    const account = { providerAccountId: randomUUID(), clientId: randomUUID(), day: '2020-01-01' };
    const key = await vaultOf().inboxKey(account);
    expect(hex(await vaultOf().inboxKey({ ...account, clientId: randomUUID() }))).toBe(hex(key));
  });
});

describe('hashers and client keys', () => {
  it('are the same in every process and differ by client, account and purpose', async () => {
    const [clientId, other, providerAccountId] = [randomUUID(), randomUUID(), randomUUID()];
    const [a, b] = [vaultOf(), vaultOf()];
    const hash = async (vault: VaultService, client: string) =>
      (await vault.indexHasher(client)).hash('phone', '+14155550123');
    expect(await hash(a, clientId)).toEqual(await hash(b, clientId));
    expect(await hash(a, clientId)).not.toEqual(await hash(a, other));
    const identity = await a.identityHasher({ providerAccountId, clientId });
    expect(identity.hash('phone', '+14155550123')).not.toEqual(await hash(a, clientId));
    const sealed = seal(await a.clientKey(clientId), 'reason', Buffer.from('x'));
    expect(open(await b.clientKey(clientId), 'reason', sealed).toString()).toBe('x');
    expect(hex(await a.clientKey(SYSTEM_CLIENT))).not.toBe(hex(await a.clientKey(clientId)));
  });
});

describe('the keystore database', () => {
  it('holds no unwrapped key, in no column', async () => {
    const clientId = randomUUID();
    const vault = vaultOf();
    const keys = [
      await vault.conversationKey({ conversationId: randomUUID(), clientId }),
      await vault.clientKey(clientId),
      await vault.inboxKey({ providerAccountId: randomUUID(), clientId, day: '2026-11-23' }),
    ];
    const { rows } = await sql.query<{ dump: string }>(
      `SELECT string_agg(d::text, '|') || (SELECT string_agg(k::text, '|') FROM keks k) AS dump FROM data_keys d`,
    );
    const dump = rows[0]?.dump ?? '';
    for (const key of keys) expect(dump).not.toContain(hex(key));
    expect(dump).not.toContain(ROOT.toString('hex'));
    // The search works: a wrapped key is found.
    const planted = await sql.query<{ wrapped: Buffer }>('SELECT wrapped FROM keks WHERE client_id = $1', [clientId]);
    expect(dump).toContain(planted.rows[0]?.wrapped.toString('hex'));
  });

  it('agrees with its migrations, which go forward only', async () => {
    const source = await keystoreDataSource(server.url).initialize();
    expect(await source.showMigrations()).toBe(false);
    await expect(source.undoLastMigration()).rejects.toThrow('forward only');
    await source.destroy();
  });

  it('lets other errors of the database through with their code', async () => {
    await expect(vaultOf().existingConversationKey('no uuid')).rejects.toMatchObject({ code: '22P02' });
  });
});
