// Checks in the tables whether the numbers of a journal are complete. Returns complaints; none means that they are.
import type { Pool } from 'pg';
import type { JournalEntryEntity } from '../../src/database/entities/journal-entry.entity.js';
import { entryLine, leafHash } from '../../src/journal/entry-line.js';

/** Each query returns a row per complaint. Reads take no lock, so they have no defined order among the changes. */
const COMPLAINTS = `
select format('entry %s has no number', position) as what from (select position from journal except select position from journal_sequence)
union all select format('number of no entry %s', position)
  from (select position from journal_sequence except select position from journal)
union all select format('entry %s is pending', position) from journal_pending
union all select format('entry %s is numbered %s times', position, count(*)) from journal_sequence group by position having count(*) > 1
union all select format('seq goes from %s to %s over %s entries', min(seq), max(seq), count(*)) from journal_sequence
  having min(seq) <> 1 or max(seq) <> count(*)
union all select format('leaves of %s go from %s to %s over %s entries', client_id, min(leaf), max(leaf), count(*))
  from journal_sequence group by client_id having min(leaf) <> 0 or max(leaf) <> count(*) - 1
union all select format('entry %s is in the log of another client', position)
  from journal j join journal_sequence s using (position) where j.client_id <> s.client_id
union all select format('leaf %s of %s goes against seq', leaf, client_id)
  from (select *, lag(seq) over (partition by client_id order by leaf) as before from journal_sequence) as s where before > seq
union all select format('entry %s of %s comes after %s', position, conversation_id, before)
  from (select position, conversation_id, lag(position) over (partition by conversation_id order by seq) as before
    from journal join journal_sequence using (position)
    where conversation_id is not null and action <> 'content.read') as ordered where before > position`;

const NUMBERED = 'select j.*, s.hash from journal j join journal_sequence s using (position)';

/** Complaints while nobody writes. */
export async function auditJournal(sql: Pool): Promise<string[]> {
  const { rows: complaints } = await sql.query<{ what: string }>(COMPLAINTS);
  const { rows: numbered } = await sql.query<JournalEntryEntity & { hash: Buffer }>(NUMBERED);
  const altered = numbered.filter((entry) => !leafHash(entryLine(entry)).equals(entry.hash));
  return [
    ...complaints.map(({ what }) => what),
    ...altered.map(({ position }) => `the hash of entry ${position} is not that of its line`),
  ];
}
