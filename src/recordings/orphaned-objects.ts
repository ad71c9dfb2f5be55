// The list of objects that no record references. An object is listed before it is uploaded, so that what a crash leaves behind
// is found without listing the whole store. Writing a record removes the objects it references from the list, and adds those it
// no longer references (record-store/write-recordings.ts).
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
/** Intake holds this lock while it applies facts. */
const LOCK = 'select 1 from conversation_identities where id = $1 for no key update skip locked';
// A waiting or parked fact may still make the record reference the object.
const CLAIMS = `
select exists (select from recordings where conversation_id = i.id and object_key = $2) as referenced,
  exists (select from inbox f where f.provider_account_id = i.provider_account_id and f.identity_hash = i.identity_hash)
      as has_facts
from conversation_identities i where i.id = $1`;
const REMOVE = 'delete from orphaned_objects where object_key = $1';

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

  /** Lists an object that is about to be uploaded; resolves when that is committed. */
  announce(ref: RecordingRef): Promise<void> {
    return this.announcing.add(ref);
  }

  /** Removes objects listed before `olderThan`, whose uploads must be over by now. Resolves with how many. */
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
      tx.query<{ referenced: boolean; has_facts: boolean }>({ text: CLAIMS, values: [conversationId, key] }),
    ]);
    if (lock.length === 0 || claims === undefined || claims.has_facts) return false;
    if (!claims.referenced) await this.objects.remove(key);
    await tx.query({ text: REMOVE, values: [key] });
    return !claims.referenced;
  }
}
