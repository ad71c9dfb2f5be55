import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newUuid } from '../../src/common/ids.js';
import type { ConversationKeys, KeyClass } from '../../src/vault/conversation-keys.js';
import { KeyDestroyed, VaultError } from '../../src/vault/errors.js';
import { epochOf } from '../../src/vault/kek-epoch.js';
import { open, seal } from '../../src/vault/sealing/sealing.js';
import { hex, startVaults, type Vaults } from './vaults.js';

const ALL: KeyClass[] = ['record', 'transcript', 'audio', 'analysis', 'parked'];
const hexOf = (keys: ConversationKeys | undefined) => ALL.map((keyClass) => keys && hex(keys.get(keyClass))).join();
const newConversation = () => ({ conversationId: newUuid(), clientId: randomUUID() });

let vaults: Vaults;
let sql: Vaults['sql'];
let vaultOf: Vaults['vaultOf'];

beforeAll(async () => {
  vaults = await startVaults();
  ({ sql, vaultOf } = vaults);
}, 60_000);
afterAll(() => vaults.stop());

const keksOf = async (conversationId: string) =>
  (
    await sql.query<{ client_id: string; epoch: number }>(
      'SELECT client_id, epoch FROM keks k JOIN conversation_keys c ON c.kek_id = k.id WHERE conversation_id = $1',
      [conversationId],
    )
  ).rows;
const rowOf = async (conversationId: string) =>
  (
    await sql.query<Record<KeyClass, Buffer | null>>('SELECT * FROM conversation_keys WHERE conversation_id = $1', [
      conversationId,
    ])
  ).rows[0];
function failureOf(call: () => unknown): unknown {
  try {
    return call();
  } catch (error) {
    return error;
  }
}

describe('conversationKeys', () => {
  it('gives 20 concurrent callers in two processes the same keys', async () => {
    const ask = newConversation();
    const vaults = [vaultOf(), vaultOf()];
    const asked = Array.from({ length: 20 }, (_, index) => (vaults[index % 2] ?? vaultOf()).conversationKeys(ask, ALL));
    const keys = await Promise.all(asked);
    expect(new Set(keys.map(hexOf)).size).toBe(1);
    const rows = await sql.query('SELECT FROM conversation_keys WHERE conversation_id = $1', [ask.conversationId]);
    expect(rows.rowCount).toBe(1);
    const keks = await sql.query('SELECT FROM keks WHERE client_id = $1', [ask.clientId]);
    expect(keks.rowCount).toBe(1);
  });

  it('gives five different keys, and only those requested', async () => {
    const ask = newConversation();
    const vault = vaultOf();
    const keys = await vault.conversationKeys(ask, ALL);
    expect(new Set(ALL.map((keyClass) => hex(keys.get(keyClass)))).size).toBe(5);
    const some = await vault.conversationKeys(ask, ['audio']);
    expect(hex(some.get('audio'))).toBe(hex(keys.get('audio')));
    expect(() => some.get('record')).toThrow('not requested');
    // What one key seals, no other key opens, not even under the other's name.
    const sealed = seal(keys.get('audio'), 'x', Buffer.from('x'));
    expect(() => open(keys.get('transcript'), 'x', sealed)).toThrow(VaultError);
    expect(open(some.get('audio'), 'x', sealed).toString()).toBe('x');
  });

  it('creates the keys of many conversations with one statement', async () => {
    const vault = vaultOf();
    const clientId = randomUUID();
    await vault.conversationKeys({ conversationId: newUuid(), clientId }, ['record']);
    const asks = Array.from({ length: 40 }, () => ({ conversationId: newUuid(), clientId }));
    await Promise.all(asks.map((ask) => vault.conversationKeys(ask, ['record'])));
    // Rows of one transaction share an xmin.
    const { rows } = await sql.query<{ commits: number }>(
      'SELECT count(DISTINCT xmin::text)::int AS commits FROM conversation_keys WHERE conversation_id = ANY($1)',
      [asks.map(({ conversationId }) => conversationId)],
    );
    expect(rows[0]?.commits).toBe(1);
  });

  it("is committed and wrapped under today's epoch when it is returned", async () => {
    const ask = newConversation();
    await vaultOf().conversationKeys(ask, ['record']);
    expect(await keksOf(ask.conversationId)).toEqual([{ client_id: ask.clientId, epoch: epochOf(new Date()) }]);
  });

  it('reads old keys and creates new ones after the epoch has changed', async () => {
    const before = newConversation();
    const after = { ...before, conversationId: newUuid() };
    const keys = await vaultOf({ now: () => new Date('2026-01-01') }).conversationKeys(before, ALL);
    const later = vaultOf({ now: () => new Date('2026-03-01') });
    expect(hexOf(await later.conversationKeys(before, ALL))).toBe(hexOf(keys));
    await later.conversationKeys(after, ['record']);
    expect(await keksOf(before.conversationId)).toMatchObject([{ epoch: epochOf(new Date('2026-01-01')) }]);
    expect(await keksOf(after.conversationId)).toMatchObject([{ epoch: epochOf(new Date('2026-03-01')) }]);
  });

  it('refuses the conversation of another client, from the cache and from the database', async () => {
    const ask = newConversation();
    const vault = vaultOf();
    await vault.conversationKeys(ask, ['record']);
    for (const asked of [vault, vaultOf()]) {
      const wrong = asked.conversationKeys({ ...ask, clientId: randomUUID() }, ['record']);
      await expect(wrong).rejects.toMatchObject({ reason: 'wrong_owner' });
    }
  });

  it('refuses a key that was moved inside the database to another conversation, class or client', async () => {
    const [from, to] = [newConversation(), newConversation()];
    const sibling = { ...from, conversationId: newUuid() };
    for (const ask of [from, to, sibling]) await vaultOf().conversationKeys(ask, ['record']);
    const move = (assignment: string, of: { conversationId: string }) =>
      sql.query(
        `UPDATE conversation_keys c SET ${assignment} FROM conversation_keys f
         WHERE f.conversation_id = $1 AND c.conversation_id = $2`,
        [from.conversationId, of.conversationId],
      );
    const asked = (of: { conversationId: string }) => vaultOf().existingConversationKeys(of.conversationId, ['record']);
    await move('record = f.record', sibling);
    await expect(asked(sibling)).rejects.toMatchObject({ reason: 'open_failed' });
    await move('record = f.record, kek_id = f.kek_id', to);
    await expect(asked(to)).rejects.toMatchObject({ reason: 'open_failed' });
    await move('record = f.transcript', from);
    await expect(asked(from)).rejects.toMatchObject({ reason: 'open_failed' });
    await vaultOf().existingConversationKeys(from.conversationId, ['transcript', 'audio', 'analysis', 'parked']);
  });
});

describe('existing keys', () => {
  it('are read with one query, without conversations that have no keys or only destroyed ones', async () => {
    const clientId = randomUUID();
    const ids = [newUuid(), newUuid(), newUuid()];
    const writer = vaultOf();
    const make = (conversationId: string) => writer.conversationKeys({ conversationId, clientId }, ALL);
    const keys = await Promise.all(ids.map(make));
    const destroyed = newUuid();
    await make(destroyed);
    await writer.destroyConversationKeys(destroyed);
    const reader = vaultOf();
    for (const round of ['from the database', 'from memory']) {
      const found = await reader.existingKeysOf([...ids, destroyed, newUuid()], ALL);
      expect([round, ...found.keys()].toSorted()).toEqual([round, ...ids].toSorted());
      expect(ids.map((id) => hexOf(found.get(id)))).toEqual(keys.map(hexOf));
    }
    expect((await reader.existingKeysOf([], ALL)).size).toBe(0);
  });

  it('are never created by a read', async () => {
    const conversationId = newUuid();
    const asked = vaultOf().existingConversationKeys(conversationId, ['record']);
    await expect(asked).rejects.toMatchObject({ reason: 'key_missing' });
    const destroying = vaultOf().destroyConversationKey(conversationId, 'audio');
    await expect(destroying).rejects.toMatchObject({ reason: 'key_missing' });
    expect(await rowOf(conversationId)).toBeUndefined();
  });
});

describe('the destroyed key of a class', () => {
  it.each(['transcript', 'audio', 'analysis'] as const)(
    'is gone for every process (%s), with the key of parked facts; the others stay',
    async (keyClass) => {
      const ask = newConversation();
      const vault = vaultOf();
      const before = await vault.conversationKeys(ask, ALL);
      const destroyedAt = await vault.destroyConversationKey(ask.conversationId, keyClass);
      for (const asked of [vault, vaultOf()]) {
        for (const keys of [
          await asked.conversationKeys(ask, ALL),
          await asked.existingConversationKeys(ask.conversationId, ALL),
          (await asked.existingKeysOf([ask.conversationId], ALL)).get(ask.conversationId) as ConversationKeys,
        ]) {
          for (const gone of [keyClass, 'parked'] as const) {
            expect(keys.find(gone)).toBeNull();
            expect(failureOf(() => keys.get(gone))).toMatchObject({ code: 'erased', destroyedAt });
          }
          const others = ALL.filter((one) => one !== keyClass && one !== 'parked');
          expect(others.map((one) => hex(keys.get(one)))).toEqual(others.map((one) => hex(before.get(one))));
        }
      }
      expect(await rowOf(ask.conversationId)).toMatchObject({ [keyClass]: null, parked: null });
    },
  );

  it('keeps its time of destruction when destroyed again', async () => {
    const ask = newConversation();
    const vault = vaultOf();
    await vault.conversationKeys(ask, ['record']);
    const destroyedAt = await vault.destroyConversationKey(ask.conversationId, 'audio');
    expect(await vault.destroyConversationKey(ask.conversationId, 'audio')).toEqual(destroyedAt);
  });

  it('becomes a tombstone when the last of them is destroyed', async () => {
    const ask = newConversation();
    const vault = vaultOf();
    await vault.conversationKeys(ask, ['record']);
    for (const keyClass of ['audio', 'transcript', 'analysis', 'record'] as const)
      await vault.destroyConversationKey(ask.conversationId, keyClass);
    for (const asked of [vault, vaultOf()])
      await expect(asked.conversationKeys(ask, ['record'])).rejects.toThrow(KeyDestroyed);
  });
});

describe('destroyed keys', () => {
  it('stay destroyed and are never created again, by any process', async () => {
    const ask = newConversation();
    const vault = vaultOf();
    await vault.conversationKeys(ask, ALL);
    const destroyedAt = await vault.destroyConversationKeys(ask.conversationId);
    for (const asked of [vault, vaultOf()]) {
      await expect(asked.conversationKeys(ask, ['record'])).rejects.toThrow(KeyDestroyed);
      await expect(asked.existingConversationKeys(ask.conversationId, ['record'])).rejects.toMatchObject({
        code: 'erased',
        destroyedAt,
      });
    }
    expect(await vault.destroyConversationKeys(ask.conversationId)).toEqual(destroyedAt);
    const row = await rowOf(ask.conversationId);
    expect(ALL.map((keyClass) => row?.[keyClass])).toEqual([null, null, null, null, null]);
  });

  it('leave a tombstone even if there were none yet', async () => {
    const ask = newConversation();
    await vaultOf().destroyConversationKeys(ask.conversationId);
    await expect(vaultOf().conversationKeys(ask, ['record'])).rejects.toThrow(KeyDestroyed);
  });

  it('are not created again by a caller that races with the destruction', async () => {
    for (let round = 0; round < 10; round += 1) {
      const ask = newConversation();
      const vaults = [vaultOf(), vaultOf()];
      const asks = vaults.flatMap((vault) => [vault.conversationKeys(ask, ALL), vault.conversationKeys(ask, ALL)]);
      const [destroyer = vaultOf()] = vaults;
      await Promise.allSettled([...asks, destroyer.destroyConversationKeys(ask.conversationId)]);
      await expect(destroyer.conversationKeys(ask, ['record'])).rejects.toThrow(KeyDestroyed);
      await expect(vaultOf().conversationKeys(ask, ['record'])).rejects.toThrow(KeyDestroyed);
    }
  });

  it.each([
    ["purpose = 'client'", 'data_keys', 'destroyed_at = now()', 'data_keys_live_or_destroyed'],
    ['true', 'conversation_keys', 'destroyed_at = now()', 'conversation_keys_live_or_destroyed'],
    ['true', 'conversation_keys', 'audio = null', 'conversation_keys_live_or_destroyed'],
    ['true', 'conversation_keys', 'audio = null, destroyed_at = now()', 'conversation_keys_live_or_destroyed'],
    ['true', 'conversation_keys', 'kek_id = null', 'conversation_keys_wrapped_by'],
  ])('are refused by the database in an inconsistent state: %s', async (where, table, assignment, constraint) => {
    await vaultOf().conversationKeys(newConversation(), ['record']);
    await vaultOf().clientKey(randomUUID());
    const live = table === 'data_keys' ? 'wrapped is not null' : 'destroyed_at is null';
    const half = sql.query(`UPDATE ${table} SET ${assignment} WHERE ${where} AND ${live}`);
    await expect(half).rejects.toMatchObject({ constraint });
  });

  it('include all keys under a destroyed key-encryption key', async () => {
    const ask = newConversation();
    await vaultOf().conversationKeys(ask, ['record']);
    await sql.query('UPDATE keks SET wrapped = NULL, destroyed_at = now() WHERE client_id = $1', [ask.clientId]);
    await expect(vaultOf().existingConversationKeys(ask.conversationId, ['record'])).rejects.toThrow(KeyDestroyed);
    const another = { ...ask, conversationId: newUuid() };
    await expect(vaultOf().conversationKeys(another, ['record'])).rejects.toThrow(KeyDestroyed);
    expect((await vaultOf().existingKeysOf([ask.conversationId], ['record'])).size).toBe(0);
  });
});

describe('the keystore', () => {
  it('takes at most 292 bytes per conversation, in heap and index', async () => {
    const { conversationId } = await (async () => {
      const ask = newConversation();
      await vaultOf().conversationKeys(ask, ['record']);
      return ask;
    })();
    await sql.query('CREATE TABLE filled (LIKE conversation_keys INCLUDING ALL)');
    // In the order in which keys are created: ids by time.
    const ids = Array.from({ length: 50_000 }, () => newUuid());
    await sql.query(
      `INSERT INTO filled SELECT i.id, c.kek_id, c.record, c.transcript, c.audio, c.analysis, c.parked, c.destroyed_at
       FROM conversation_keys c, unnest($2::uuid[]) WITH ORDINALITY AS i(id, nth) WHERE c.conversation_id = $1 ORDER BY nth`,
      [conversationId, ids],
    );
    const { rows } = await sql.query<{ bytes: number }>(
      "SELECT pg_total_relation_size('filled')::float8 / count(*) AS bytes FROM filled",
    );
    await sql.query('DROP TABLE filled');
    // 1.3 × what a single key took in data_keys.
    expect(rows[0]?.bytes).toBeLessThanOrEqual(292);
    expect(rows[0]?.bytes).toBeGreaterThan(248);
  });
});
