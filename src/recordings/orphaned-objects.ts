// Objects that no record names: written down before they are stored, so that what a crash leaves behind is found without
// asking the store for all it has. Referenced objects leave the list; an object whose copy was replaced enters it (record-store/write-recordings.ts).
import { Batcher } from '../common/batcher.js';
import type { WorkerDatabase } from '../database/database.js';
import type { Transaction } from '../database/with-scope.js';
import type { ObjectStore } from '../object-store/object-store.js';
import { objectKeyOf, type RecordingRef } from './recording-object.js';

const BATCH = 100;

const ANNOUNCE = `
insert into orphaned_objects (object_key, conversation_id) select * from unnest($1::text[], $2::uuid[]) on conflict do nothing`;
const OLD = `
select object_key, conversation_id from orphaned_objects where since < $1 and object_key > $2
order by object_key limit ${BATCH}`;
/** Whoever applies facts holds this lock, or waits for it. */
const LOCK = 'select 1 from conversation_identities where id = $1 for no key update skip locked';
// A fact that waits, or was parked, may still make a record name the object.
const CLAIMS = `
select exists (select from recordings where conversation_id = i.id and object_key = $2) as named,
  exists (select from inbox f where f.provider_account_id = i.provider_account_id and f.identity_hash = i.identity_hash)
    as awaited
from conversation_identities i where i.id = $1`;
const STRIKE_OUT = 'delete from orphaned_objects where object_key = $1';

interface Row {
  object_key: string;
  conversation_id: string;
}

export class OrphanedObjects {
  private readonly announcing: Batcher<RecordingRef, void>;

  constructor(
    private readonly database: WorkerDatabase,
    private readonly objects: ObjectStore,
  ) {
    this.announcing = new Batcher((refs) => this.insert(refs), { maxItems: 64, concurrency: 1 });
  }

  /** Resolves when it is on disk that the object may come to lie there. */
  announce(ref: RecordingRef): Promise<void> {
    return this.announcing.add(ref);
  }

  /** Removes objects that have been orphaned since before `olderThan`, by when their attempts are over; how many. */
  async sweep(olderThan: Date): Promise<number> {
    let removed = 0;
    let after = '';
    for (;;) {
      const values = [olderThan, after];
      const rows = await this.database.withScope('all', (tx) => tx.query<Row>({ text: OLD, values }));
      for (const row of rows) if (await this.database.withScope('all', (tx) => this.remove(tx, row))) removed += 1;
      const last = rows.at(-1);
      if (last === undefined || rows.length < BATCH) return removed;
      after = last.object_key;
    }
  }

  private async insert(refs: RecordingRef[]): Promise<void[]> {
    const values = [refs.map(objectKeyOf), refs.map(({ conversationId }) => conversationId)];
    await this.database.once('all', { name: 'announce_objects', text: ANNOUNCE, values });
    return refs.map(() => undefined);
  }

  private async remove(tx: Transaction, { object_key: key, conversation_id: conversationId }: Row): Promise<boolean> {
    const [lock, [claims]] = await Promise.all([
      tx.query({ text: LOCK, values: [conversationId] }),
      tx.query<{ named: boolean; awaited: boolean }>({ text: CLAIMS, values: [conversationId, key] }),
    ]);
    if (lock.length === 0 || claims === undefined || claims.awaited) return false;
    if (!claims.named) await this.objects.remove(key);
    await tx.query({ text: STRIKE_OUT, values: [key] });
    return !claims.named;
  }
}
