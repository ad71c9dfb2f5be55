// Keys of conversations that never came to be: what is swept, what is not, and that nothing is ever sealed with a key that
// was. Time is moved in the tables.
import { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, it, inject } from 'vitest';
import { newUuid } from '../../src/common/ids.js';
import { abandonedAmong } from '../../src/maintenance/abandoned-identities.js';
import { ListedIdentities } from '../../src/reconciliation/listed-identities.js';
import { openVault } from '../../src/vault/open-vault.js';
import { open, seal } from '../../src/vault/sealing/sealing.js';
import type { VaultService } from '../../src/vault/vault.service.js';
import { openWorkerParts } from '../support/worker-parts.js';
import { eventually } from '../support/eventually.js';
import { asSuperuser } from '../support/databases.js';
import { install, type Installation } from '../support/installation.js';

let colloquy: Installation;
let worker: Awaited<ReturnType<typeof openWorkerParts>>;
let identities: ListedIdentities;
let keystore: Pool;
const vaults: VaultService[] = [];

beforeAll(async () => {
  colloquy = await install();
  worker = await openWorkerParts(colloquy.config);
  identities = new ListedIdentities(worker.database);
  keystore = new Pool({
    connectionString: asSuperuser(inject('services').postgresUrl, colloquy.env['KEYSTORE_DATABASE_URL'] ?? ''),
    max: 2,
  });
  keystore.on('error', () => undefined); // cut when its database is dropped
});
afterAll(async () => {
  await Promise.all(vaults.map((vault) => vault.close()));
  await keystore.end();
  await worker.close();
  await colloquy.close();
});

/** A vault as another process has it: nothing in memory. */
async function freshVault(): Promise<VaultService> {
  const { keystoreDatabaseUrl, rootKeyFile } = colloquy.config;
  const vault = await openVault({
    keystoreUrl: keystoreDatabaseUrl ?? '',
    rootKeyFile,
    maxConnections: 2,
    role: 'colloquy_keystore_worker',
  });
  vaults.push(vault);
  return vault;
}

interface Reserved {
  id: string;
  callId: string;
  hash: Buffer;
}

/** A call that a backfill reserved two days ago, with a key for its recording, and never brought in. */
async function orphan(name: string): Promise<Reserved> {
  const { call_id: callId } = colloquy.retell.addCompleteCall({}, name);
  const owner = { providerAccountId: colloquy.accountId, clientId: colloquy.clientId };
  const hash = (await colloquy.vault.identityHasher(owner)).hash('provider_id', 'call', callId);
  const listed = { accountId: colloquy.accountId, hash, clientId: colloquy.clientId };
  const reserved = await identities.reserve(listed, 'backfill');
  if (typeof reserved === 'string') throw new Error(reserved);
  await (await freshVault()).conversationKey(reserved);
  await identities.release(listed, 'backfill');
  await age(reserved.conversationId);
  return { id: reserved.conversationId, callId, hash };
}

const age = (id: string) =>
  keystore.query("update data_keys set created_at = now() - interval '2 days' where owner = $1", [id]);
const ageMarks = () =>
  keystore.query("update data_keys set marked_for_deletion_at = marked_for_deletion_at - interval '31 minutes'");
const sweep = async () => {
  const vault = await freshVault();
  return vault.sweepConversationKeys((ids) => abandonedAmong(worker.database, ids));
};
/** The two sweeps that it takes. */
async function sweepTwice(): Promise<number> {
  await sweep();
  await ageMarks();
  return (await sweep()).removed;
}
async function keyOf(id: string): Promise<'none' | 'marked' | 'live' | 'destroyed'> {
  const { rows } = await keystore.query<{ wrapped: Buffer | null; marked_for_deletion_at: Date | null }>(
    "select wrapped, marked_for_deletion_at from data_keys where purpose = 'conversation' and owner = $1",
    [id],
  );
  const [key] = rows;
  if (key === undefined) return 'none';
  if (key.wrapped === null) return 'destroyed';
  return key.marked_for_deletion_at === null ? 'live' : 'marked';
}
/** Whether another process can open what is stored of it. */
async function opens(id: string): Promise<boolean> {
  const conversation = (await colloquy.conversations()).find((one) => one.id === id);
  if (conversation === undefined) throw new Error('there is no such conversation');
  const key = await (await freshVault()).existingConversationKey(id);
  return open(key, 'header', conversation.header).length > 0;
}
/** Its webhook comes in. */
async function hearOf({ callId }: Reserved): Promise<void> {
  await colloquy.send('call_ended', callId);
}

describe('the key of a conversation that never came to be', () => {
  it('is marked when it is a day old, and gone with the next sweep half an hour later', async () => {
    const { id } = await orphan('swept');
    expect(await sweep()).toEqual({ marked: 1, removed: 0 });
    expect(await sweep()).toEqual({ marked: 0, removed: 0 });
    expect(await keyOf(id)).toBe('marked');
    await ageMarks();
    expect(await sweep()).toEqual({ marked: 0, removed: 1 });
    expect(await keyOf(id)).toBe('none');
  });

  it('is created again by a fact that arrives after the sweep', async () => {
    const gone = await orphan('fact after');
    expect(await sweepTwice()).toBe(1);
    await hearOf(gone);
    await worker.intake.round();
    expect(await opens(gone.id)).toBe(true);
    expect([await sweepTwice(), await keyOf(gone.id)]).toEqual([0, 'live']);
  });

  it('stays, when a fact comes after it was marked', async () => {
    const marked = await orphan('fact between');
    await sweep();
    await hearOf(marked);
    await worker.intake.round();
    expect(await keyOf(marked.id)).toBe('live');
    await ageMarks();
    expect((await sweep()).removed).toBe(0);
    expect(await opens(marked.id)).toBe(true);
  });

  it('stays, when the fact is applied with a key that the worker held in memory', async () => {
    const remembered = await orphan('remembered');
    await worker.vault.conversationKey({ conversationId: remembered.id, clientId: colloquy.clientId });
    await sweep();
    await hearOf(remembered);
    // With the vault of the line before, which asks nobody for this key.
    await worker.intake.round();
    expect(await keyOf(remembered.id)).toBe('marked');
    await ageMarks();
    expect((await sweep()).removed).toBe(0);
    expect([await keyOf(remembered.id), await opens(remembered.id)]).toEqual(['live', true]);
  });

  it('stays, when somebody asks for it in the moment before it would be gone', async () => {
    const { id } = await orphan('asked for');
    await sweep();
    await ageMarks();
    const asker = await freshVault();
    const removing = (await freshVault()).sweepConversationKeys(async (ids) => {
      const orphans = await abandonedAmong(worker.database, ids);
      // It was judged; now it is used.
      if (orphans.includes(id)) await asker.conversationKey({ conversationId: id, clientId: colloquy.clientId });
      return orphans;
    });
    expect((await removing).removed).toBe(0);
    expect(await keyOf(id)).not.toBe('none');
    await keystore.query('delete from data_keys where owner = $1', [id]);
  });

  it('is one and the same for all who ask while it is being removed', async () => {
    for (let round = 0; round < 10; round += 1) {
      const { id } = await orphan(`race ${round}`);
      await sweep();
      await ageMarks();
      const ask = { conversationId: id, clientId: colloquy.clientId };
      const askers = [await freshVault(), await freshVault()];
      const [first, second] = await Promise.all([
        ...askers.map(async (vault) => seal(await vault.conversationKey(ask), 'x', Buffer.from('sealed'))),
        sweep(),
      ]);
      const key = await (await freshVault()).existingConversationKey(id);
      for (const sealed of [first, second]) expect(open(key, 'x', sealed as Buffer).toString()).toBe('sealed');
      await keystore.query('delete from data_keys where owner = $1', [id]);
    }
  });
});

describe('a key stays', () => {
  it('when its conversation exists', async () => {
    const { call_id: callId } = colloquy.retell.addCompleteCall({}, 'exists');
    await colloquy.send('call_analyzed', callId);
    await worker.intake.round();
    const { id } = await colloquy.call(callId);
    await age(id);
    expect([await sweepTwice(), await keyOf(id)]).toEqual([0, 'live']);
  });

  it('when it is younger than a day', async () => {
    const { id } = await orphan('young');
    await keystore.query("update data_keys set created_at = now() - interval '23 hours' where owner = $1", [id]);
    expect([await sweepTwice(), await keyOf(id)]).toEqual([0, 'live']);
  });

  it.each(['pending', 'parked'])('while a fact of its conversation is %s', async (state) => {
    const waiting = await orphan(state);
    await hearOf(waiting);
    const where = "where identity_hash = $1 and state in ('pending', 'parked')";
    const put = (into: string, at: string) =>
      colloquy.sql.query(`update inbox set state = '${into}', retry_at = ${at} ${where}`, [waiting.hash]);
    await put(state, "now() + interval '1 hour'");
    expect([await sweepTwice(), await keyOf(waiting.id)]).toEqual([0, 'live']);
    await put('pending', 'null');
    await worker.intake.round();
    expect(await opens(waiting.id)).toBe(true);
  });

  it('while somebody brings its conversation in, or did within a day, for a long download may outlast its reservation', async () => {
    const { id, hash } = await orphan('reserved');
    await identities.reserve({ accountId: colloquy.accountId, hash, clientId: colloquy.clientId }, 'backfill');
    const ended = (hours: number) =>
      colloquy.sql.query(
        `update conversation_identities set reserved_until = now() - interval '${hours} hours' where id = $1`,
        [id],
      );
    expect([await sweepTwice(), await keyOf(id)]).toEqual([0, 'live']);
    await ended(23);
    expect([await sweepTwice(), await keyOf(id)]).toEqual([0, 'live']);
    // Its worker was killed.
    await ended(25);
    expect([await sweepTwice(), await keyOf(id)]).toEqual([1, 'none']);
  });

  it('when nothing is known of its conversation: these may be the tables of another day', async () => {
    const id = newUuid();
    await colloquy.vault.conversationKey({ conversationId: id, clientId: colloquy.clientId });
    await age(id);
    expect([await sweepTwice(), await keyOf(id)]).toEqual([0, 'live']);
  });

  it('destroyed, when it was destroyed', async () => {
    const { id } = await orphan('destroyed');
    await sweep();
    await colloquy.vault.destroyConversationKey(id);
    expect([await sweepTwice(), await keyOf(id)]).toEqual([0, 'destroyed']);
    const ask = { conversationId: id, clientId: colloquy.clientId };
    await expect((await freshVault()).conversationKey(ask)).rejects.toMatchObject({ code: 'erased' });
  });
});

describe('the walk', () => {
  it('comes by every key, the youngest conversations first, however many there are', async () => {
    await keystore.query(
      `insert into data_keys (purpose, owner, client_id, epoch, wrapped, created_at)
       select 'conversation', gen_random_uuid(), $1, 0, '\\x00', now() - interval '2 days' from generate_series(1, 2500)`,
      [colloquy.clientId],
    );
    const { rows } = await keystore.query<{ owner: string }>(
      "select owner from data_keys where purpose = 'conversation' and wrapped is not null and created_at < now() - interval '1 day' order by owner desc",
    );
    const seen: string[] = [];
    const vault = await freshVault();
    const look = (ids: string[]): Promise<string[]> => {
      seen.push(...ids);
      return Promise.resolve([]);
    };
    await vault.sweepConversationKeys(look);
    expect(seen).toEqual(rows.map(({ owner }) => owner));
    await vault.sweepConversationKeys(look);
    expect(seen).toHaveLength(2 * rows.length);
    await keystore.query("delete from data_keys where wrapped = '\\x00'");
  });

  it('is a part of what a worker does each hour', async () => {
    const { id } = await orphan('hourly');
    await colloquy.startWorker();
    await eventually(async () => (await keyOf(id)) === 'marked');
  });
});
