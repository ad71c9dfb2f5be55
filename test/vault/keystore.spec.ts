import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newUuid } from '../../src/common/ids.js';
import type { KeyClass } from '../../src/vault/conversation-keys.js';
import { KeyDestroyed } from '../../src/vault/errors.js';
import { keystoreDataSource } from '../../src/vault/keystore/keystore-data-source.js';
import { open, seal } from '../../src/vault/sealing/sealing.js';
import { SYSTEM_CLIENT, type VaultService } from '../../src/vault/vault.service.js';
import { hex, ROOT, startVaults, type Vaults } from './vaults.js';

const ALL: KeyClass[] = ['record', 'transcript', 'audio', 'analysis', 'parked'];
const newConversation = () => ({ conversationId: newUuid(), clientId: randomUUID() });

let vaults: Vaults;
let sql: Vaults['sql'];
let vaultOf: Vaults['vaultOf'];

beforeAll(async () => {
  vaults = await startVaults();
  ({ sql, vaultOf } = vaults);
}, 60_000);
afterAll(() => vaults.stop());

describe('inbox keys', () => {
  it('are one per account and day, listed until destroyed, and then gone for good', async () => {
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

  it('stay with the account when it moves to another client', async () => {
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
  it('contains no unwrapped key in any column', async () => {
    const { conversationId, clientId } = newConversation();
    const vault = vaultOf();
    const keys = [
      ...(await Promise.all(
        ALL.map(async (one) => (await vault.conversationKeys({ conversationId, clientId }, [one])).get(one)),
      )),
      await vault.clientKey(clientId),
      await vault.inboxKey({ providerAccountId: randomUUID(), clientId, day: '2026-11-23' }),
    ];
    const { rows } = await sql.query<{ dump: string }>(
      `SELECT string_agg(d::text, '|') || (SELECT string_agg(k::text, '|') FROM keks k)
         || (SELECT string_agg(c::text, '|') FROM conversation_keys c) AS dump FROM data_keys d`,
    );
    const dump = rows[0]?.dump ?? '';
    for (const key of keys) expect(dump).not.toContain(hex(key));
    expect(dump).not.toContain(ROOT.toString('hex'));
    // Proof that the search works: a wrapped key is found.
    const planted = await sql.query<{ wrapped: Buffer }>('SELECT wrapped FROM keks WHERE client_id = $1', [clientId]);
    expect(dump).toContain(planted.rows[0]?.wrapped.toString('hex'));
  });

  it('matches its migrations, which are forward only', async () => {
    const source = await keystoreDataSource(vaults.url).initialize();
    expect(await source.showMigrations()).toBe(false);
    await expect(source.undoLastMigration()).rejects.toThrow('forward only');
    await source.destroy();
  });

  it('passes other errors of the database through with their code', async () => {
    await expect(vaultOf().existingConversationKeys('no uuid', ['record'])).rejects.toMatchObject({ code: '22P02' });
  });
});
