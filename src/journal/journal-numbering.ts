// Gives entries their numbers: `seq` over the whole journal, `leaf` in the log of their client, both without gaps. Entries are
// numbered after their commit, those with the lower position first. Whoever saw an entry of a conversation saw those before
// it, because they were committed before its lock was given on; so no conversation gets out of its order, whatever commits
// late, waits, or rolls back. Any worker may do it, one at a time; writers never wait for it.
import { Injectable } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import { Log } from '../common/log.js';
import { LoopedWork } from '../common/work-loop.js';
import { WorkerDatabase } from '../database/database.js';
import type { JournalEntryEntity } from '../database/entities/journal-entry.entity.js';
import type { Transaction } from '../database/with-scope.js';
import { entryLine, leafHash, LINE_VERSION } from './entry-line.js';

const POLL_MS = 2_000;
const BATCH = 1_000;
/** Entries of the next moments share a turn: a busy worker takes at most so many a second. */
const GATHER_MS = 40;

// A statement of its own: the next one must see what the holder before has committed.
const LEAD = "select pg_advisory_xact_lock(hashtextextended('journal numbering', 0))";

// `offset 0` keeps it to one look-up an entry, whatever the statistics say of a table that is empty most of the time.
const NEXT = `
select entry.* from (select position from journal_pending order by position limit ${BATCH}) as pending
cross join lateral (select * from journal where journal.position = pending.position offset 0) as entry
order by entry.position`;

const NUMBER = `
with taken as (
  delete from journal_pending where position = any($1::bigint[]) returning position
), entries as (
  select position, client_id, hash from unnest($1::bigint[], $2::uuid[], $3::bytea[]) as e(position, client_id, hash)
  join taken using (position)
), logs as (
  select client_id, coalesce((select max(leaf) from journal_sequence s where s.client_id = c.client_id), -1) as last
  from (select distinct client_id from entries) as c
)
insert into journal_sequence (seq, position, client_id, leaf, hash, version)
select coalesce((select max(seq) from journal_sequence), 0) + row_number() over (order by position), position, client_id,
  last + row_number() over (partition by client_id order by position), hash, ${LINE_VERSION}
from entries join logs using (client_id)`;

@Injectable()
export class JournalNumbering extends LoopedWork {
  constructor(
    private readonly database: WorkerDatabase,
    private readonly log: Log,
  ) {
    super(1, POLL_MS);
  }

  /** Numbers up to 1,000 entries; resolves with how many, once that is committed. */
  async round(): Promise<number> {
    return this.database.withScope('all', async (tx) => {
      const [, entries] = await Promise.all([
        tx.query({ name: 'lead_journal', text: LEAD }),
        tx.query<JournalEntryEntity>({ name: 'unnumbered', text: NEXT }),
      ]);
      await numberEntries(tx, entries);
      return entries.length;
    });
  }

  protected override async runRound(): Promise<boolean> {
    try {
      const numbered = await this.round();
      if (numbered === BATCH) return true;
      if (numbered > 0) await sleep(GATHER_MS);
    } catch (error) {
      this.log.error('numbering the journal failed; trying again', {}, error);
    }
    return false;
  }
}

async function numberEntries(tx: Transaction, entries: JournalEntryEntity[]): Promise<void> {
  if (entries.length === 0) return;
  const values = [
    entries.map(({ position }) => position),
    entries.map(({ client_id }) => client_id),
    entries.map((entry) => leafHash(entryLine(entry))),
  ];
  const numbered = tx.query({ name: 'number_journal', text: NUMBER, values });
  tx.commit();
  await numbered;
}
