// Keys of conversations that were never created: which are swept, which stay, and that nothing is ever sealed with a swept
// key. The tests move times in the tables.
import { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, it, inject } from 'vitest';
import { lowestUuidAt, newUuid } from '../../src/common/ids.js';
import { abandonedAmong } from '../../src/maintenance/abandoned-identities.js';
import { purposeOf } from '../../src/record-store/seal-purposes.js';
import type { ListedIdentity } from '../../src/reconciliation/identify-listed.js';
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

/** A vault as another process would have it, with an empty cache. */
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

interface Reserved extends ListedIdentity {
  id: string;
  callId: string;
}

/** An id as it would have been created some hours ago. */
const idOf = (hoursAgo: number): string =>
  lowestUuidAt(Date.now() - hoursAgo * 3_600_000).slice(0, 14) + newUuid().slice(14);

/** A call that a backfill reserved two days ago, with keys for its recording, and never imported. */
async function abandonedCall(name: string, hoursAgo = 48): Promise<Reserved> {
  const { call_id: callId } = colloquy.retell.addCompleteCall({}, name);
  const owner = { providerAccountId: colloquy.accountId, clientId: colloquy.clientId };
  const hash = (await colloquy.vault.identityHasher(owner)).hash('provider_id', 'call', callId);
  const listed = { accountId: colloquy.accountId, hash, clientId: colloquy.clientId, suppressionHash: hash };
  const reserved = await identities.reserve(listed, 'backfill');
  if (typeof reserved === 'string') throw new Error(reserved);
  const id = idOf(hoursAgo);
  await colloquy.sql.query('update conversation_identities set id = $1 where id = $2', [id, reserved.conversationId]);
  await makeKeys(id);
  await identities.release(listed, 'backfill');
  return { id, callId, ...listed };
}

const askFor = async (vault: VaultService, id: string) =>
  (await vault.conversationKeys({ conversationId: id, clientId: colloquy.clientId }, ['record'])).get('record');
const makeKeys = async (id: string) => askFor(await freshVault(), id);
const ageMarks = () =>
  keystore.query(
    "update keys_marked_for_deletion set marked_for_deletion_at = marked_for_deletion_at - interval '31 minutes'",
  );
const deleteKeys = (id: string) => keystore.query('delete from conversation_keys where conversation_id = $1', [id]);
const sweep = async () => {
  const vault = await freshVault();
  return vault.sweepConversationKeys((ids) => abandonedAmong(worker.database, ids));
};
/** Both sweeps that a deletion needs. */
async function sweepTwice(): Promise<number> {
  await sweep();
  await ageMarks();
  return (await sweep()).removed;
}
async function keyOf(id: string): Promise<'none' | 'marked' | 'live' | 'destroyed'> {
  const { rows } = await keystore.query<{ record: Buffer | null; marked_for_deletion_at: Date | null }>(
    `select c.record, m.marked_for_deletion_at from conversation_keys c left join keys_marked_for_deletion m
     using (conversation_id) where c.conversation_id = $1`,
    [id],
  );
  const [keys] = rows;
  if (keys === undefined) return 'none';
  if (keys.record === null) return 'destroyed';
  return keys.marked_for_deletion_at === null ? 'live' : 'marked';
}
/** Whether another process can decrypt what is stored of the conversation. */
async function opens(id: string): Promise<boolean> {
  const conversation = (await colloquy.conversations()).find((one) => one.id === id);
  if (conversation === undefined) throw new Error('there is no such conversation');
  const keys = await (await freshVault()).existingConversationKeys(id, ['record']);
  return open(keys.get('record'), purposeOf('header', conversation.revision), conversation.header).length > 0;
}
/** Sends its webhook. */
async function sendWebhook({ callId }: Reserved): Promise<void> {
  await colloquy.send('call_ended', callId);
}

describe('the key of a conversation that was never created', () => {
  it('is marked when it is a day old, and deleted by the next sweep half an hour later', async () => {
    const { id } = await abandonedCall('swept');
    expect(await sweep()).toEqual({ marked: 1, removed: 0 });
    expect(await sweep()).toEqual({ marked: 0, removed: 0 });
    expect(await keyOf(id)).toBe('marked');
    await ageMarks();
    expect(await sweep()).toEqual({ marked: 0, removed: 1 });
    expect(await keyOf(id)).toBe('none');
  });

  it('is deleted too if it was recognised as erased before anything was stored, but not while an erasure is under way', async () => {
    const { id } = await abandonedCall('suppressed');
    const keys = { erasing: [0, 'live'], erased: [1, 'none'] };
    for (const [state, expected] of Object.entries(keys)) {
      await colloquy.sql.query('update conversation_identities set state = $2 where id = $1', [id, state]);
      expect([await sweepTwice(), await keyOf(id)]).toEqual(expected);
    }
  });

  it('is created again by a fact that arrives after the sweep', async () => {
    const gone = await abandonedCall('fact after');
    expect(await sweepTwice()).toBe(1);
    await sendWebhook(gone);
    await worker.intake.round();
    expect(await opens(gone.id)).toBe(true);
    expect([await sweepTwice(), await keyOf(gone.id)]).toEqual([0, 'live']);
  });

  it('stays if a fact arrives after it was marked', async () => {
    const marked = await abandonedCall('fact between');
    await sweep();
    await sendWebhook(marked);
    await worker.intake.round();
    expect(await keyOf(marked.id)).toBe('live');
    await ageMarks();
    expect((await sweep()).removed).toBe(0);
    expect(await opens(marked.id)).toBe(true);
  });

  it('stays if the fact is applied with a key that the worker has cached', async () => {
    const remembered = await abandonedCall('remembered');
    await askFor(worker.vault, remembered.id);
    await sweep();
    await sendWebhook(remembered);
    // With the same vault as above, which does not read this key again.
    await worker.intake.round();
    expect(await keyOf(remembered.id)).toBe('marked');
    await ageMarks();
    expect((await sweep()).removed).toBe(0);
    expect([await keyOf(remembered.id), await opens(remembered.id)]).toEqual(['live', true]);
  });

  it('stays if somebody asks for it just before it would be deleted', async () => {
    const { id } = await abandonedCall('asked for');
    await sweep();
    await ageMarks();
    const asker = await freshVault();
    const removing = (await freshVault()).sweepConversationKeys(async (ids) => {
      const orphans = await abandonedAmong(worker.database, ids);
      // It was found abandoned; now it is used.
      if (orphans.includes(id)) await askFor(asker, id);
      return orphans;
    });
    expect((await removing).removed).toBe(0);
    expect(await keyOf(id)).not.toBe('none');
    await deleteKeys(id);
  });

  it('is the same for all who ask while it is being deleted', async () => {
    for (let round = 0; round < 10; round += 1) {
      const { id } = await abandonedCall(`race ${round}`);
      await sweep();
      await ageMarks();
      const askers = [await freshVault(), await freshVault()];
      const [first, second] = await Promise.all([
        ...askers.map(async (vault) => seal(await askFor(vault, id), 'x', Buffer.from('sealed'))),
        sweep(),
      ]);
      const key = await askFor(await freshVault(), id);
      for (const sealed of [first, second]) expect(open(key, 'x', sealed as Buffer).toString()).toBe('sealed');
      await deleteKeys(id);
    }
  });
});

describe('a key stays', () => {
  it('if its conversation exists', async () => {
    const exists = await abandonedCall('exists');
    await sendWebhook(exists);
    await worker.intake.round();
    expect([await sweepTwice(), await keyOf(exists.id)]).toEqual([0, 'live']);
  });

  it('if it is younger than a day', async () => {
    const { id } = await abandonedCall('young', 23);
    expect([await sweepTwice(), await keyOf(id)]).toEqual([0, 'live']);
  });

  it.each(['pending', 'parked'])('while a fact of its conversation is %s', async (state) => {
    const waiting = await abandonedCall(state);
    await sendWebhook(waiting);
    const where = "where identity_hash = $1 and state in ('pending', 'parked')";
    const put = (into: string, at: string) =>
      colloquy.sql.query(`update inbox set state = '${into}', retry_at = ${at} ${where}`, [waiting.hash]);
    await put(state, "now() + interval '1 hour'");
    expect([await sweepTwice(), await keyOf(waiting.id)]).toEqual([0, 'live']);
    await put('pending', 'null');
    await worker.intake.round();
    expect(await opens(waiting.id)).toBe(true);
  });

  it('while its conversation is being imported, and for a day after: a long download may outlast its reservation', async () => {
    const { id, ...listed } = await abandonedCall('reserved');
    await identities.reserve(listed, 'backfill');
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

  it('if nothing is known of its conversation: the tables may be an older backup', async () => {
    const id = idOf(48);
    await makeKeys(id);
    expect([await sweepTwice(), await keyOf(id)]).toEqual([0, 'live']);
  });

  it('destroyed, if it was destroyed', async () => {
    const { id } = await abandonedCall('destroyed');
    await sweep();
    await colloquy.vault.destroyConversationKeys(id);
    expect([await sweepTwice(), await keyOf(id)]).toEqual([0, 'destroyed']);
    await expect(makeKeys(id)).rejects.toMatchObject({ code: 'erased' });
  });

  it('if one of its classes was destroyed, marked or not', async () => {
    const { id } = await abandonedCall('partly destroyed');
    await sweep();
    await colloquy.vault.destroyConversationKey(id, 'audio');
    expect([await sweepTwice(), await keyOf(id)]).toEqual([0, 'live']);
  });
});

describe('the walk', () => {
  it('visits every key, newest conversations first, however many there are', async () => {
    await keystore.query(
      `insert into conversation_keys (conversation_id, kek_id, record, transcript, audio, analysis, parked)
       select id, 0, '\\x00', '\\x00', '\\x00', '\\x00', '\\x00' from unnest($1::uuid[]) as r(id)`,
      [Array.from({ length: 2_500 }, (_, index) => idOf(48 + index / 100))],
    );
    const { rows } = await keystore.query<{ id: string }>(
      `select conversation_id as id from conversation_keys
       where destroyed_at is null and conversation_id < $1 order by conversation_id desc`,
      [idOf(24)],
    );
    const seen: string[] = [];
    const vault = await freshVault();
    const look = (ids: string[]): Promise<string[]> => {
      seen.push(...ids);
      return Promise.resolve([]);
    };
    await vault.sweepConversationKeys(look);
    expect(seen).toEqual(rows.map(({ id }) => id));
    await vault.sweepConversationKeys(look);
    expect(seen).toHaveLength(2 * rows.length);
    await keystore.query('delete from conversation_keys where kek_id = 0');
  });

  it('runs hourly in a worker', async () => {
    const { id } = await abandonedCall('hourly');
    await colloquy.startWorker();
    await eventually(async () => (await keyOf(id)) === 'marked');
  });
});
