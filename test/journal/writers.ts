// Competing writers: some lock a conversation before they write, some afterwards, some never; some roll back. Afterwards
// the journal is compared with their own records.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import { Random } from '../../simulators/random.js';
import type { Database } from '../../src/database/database.js';
import type { Transaction } from '../../src/database/with-scope.js';
import { appendJournal, type NewEntry } from '../../src/journal/append.js';
import { SYSTEM_CLIENT } from '../../src/vault/vault.service.js';

export interface WrittenConversation {
  id: string;
  client_id: string;
}

type Outcome = 'committed' | 'rolled back' | 'unknown';

/** Outcome and number of entries, by the name of the transaction. */
export type Ledger = Map<string, { outcome: Outcome; entries: number }>;

interface WritersPlan {
  writers: number;
  seed: string;
  conversations: WrittenConversation[];
}

const LOCK = 'select 1 from conversation_identities where id = $1 for no key update';
const LAST =
  "select coalesce(max(revision), 0)::int as last from journal where conversation_id = $1 and action = 'changed'";

class RolledBack extends Error {}

/** Runs all writers until `isOver`; resolves with their records. */
export async function write(database: Database, plan: WritersPlan, isOver: () => boolean): Promise<Ledger> {
  const ledger: Ledger = new Map();
  const writer = async (index: number): Promise<void> => {
    const random = new Random(`${plan.seed} ${index}`);
    for (let count = 0; !isOver(); count += 1) {
      const name = `${index} ${count}`;
      const conversation = plan.conversations[random.integer(0, plan.conversations.length - 1)];
      if (conversation === undefined) throw new Error('no conversations');
      const entries = random.integer(1, 3);
      const outcome = await transact(database, (tx) => one(tx, { name, conversation, entries, random }));
      ledger.set(name, { outcome, entries });
    }
  };
  await Promise.all(Array.from({ length: plan.writers }, (_, index) => writer(index)));
  return ledger;
}

async function transact(database: Database, work: (tx: Transaction) => Promise<void>): Promise<Outcome> {
  try {
    await database.withScope('all', work);
    return 'committed';
  } catch (error) {
    // The connection was killed, possibly after the commit.
    return error instanceof RolledBack ? 'rolled back' : 'unknown';
  }
}

interface OneTransaction {
  name: string;
  conversation: WrittenConversation;
  entries: number;
  random: Random;
}

async function one(tx: Transaction, { name, conversation, entries, random }: OneTransaction): Promise<void> {
  const writesFirst = random.next() < 0.4;
  if (writesFirst) {
    await appendJournal(tx, [entryOf(name, { clientId: SYSTEM_CLIENT, action: 'written before' })]);
    await sleep(random.between(0, 5));
  }
  const isRead = !writesFirst && random.next() < 0.2;
  const locked = Array.from({ length: writesFirst ? entries - 1 : entries });
  const of = { clientId: conversation.client_id, conversationId: conversation.id };
  if (isRead)
    await appendJournal(
      tx,
      locked.map(() => entryOf(name, { ...of, action: 'content.read' })),
    );
  else {
    await tx.query({ text: LOCK, values: [conversation.id] });
    const [{ last } = { last: 0 }] = await tx.query<{ last: number }>({ text: LAST, values: [conversation.id] });
    const changes = locked.map((_, n) => entryOf(name, { ...of, action: 'changed', revision: last + n + 1 }));
    await appendJournal(tx, changes);
  }
  await sleep(random.between(0, 4));
  if (random.next() < 0.2) throw new RolledBack();
}

const entryOf = (name: string, entry: Omit<NewEntry, 'actor'>): NewEntry => ({
  ...entry,
  reason: name,
  changes: ['status', 'end "of" it'],
  actor: { type: 'system', id: 'writer' },
});

const STORED = "select reason as name, count(*)::int as entries from journal where actor_id = 'writer' group by reason";
const DISORDER = `
select conversation_id, revision, before from (
  select conversation_id, revision, lag(revision, 1, 0) over (partition by conversation_id order by seq) as before
  from journal join journal_sequence using (position) where action = 'changed') as ordered
where revision <> before + 1`;

/** Entries that the journal has although not committed, lacks, or has in another order than the writers. */
export async function auditWriters(sql: Pool, ledger: Ledger): Promise<string[]> {
  const { rows } = await sql.query<{ name: string; entries: number }>(STORED);
  const stored = new Map(rows.map(({ name, entries }) => [name, entries]));
  const complaints = [...ledger].flatMap(([name, { outcome, entries }]) => {
    const found = stored.get(name) ?? 0;
    const allowed = { committed: [entries], 'rolled back': [0], unknown: [0, entries] }[outcome];
    return allowed.includes(found) ? [] : [`${name}: ${outcome}, and ${found} of ${entries} entries are there`];
  });
  const { rows: disorder } = await sql.query<Record<string, unknown>>(DISORDER);
  return [...complaints, ...disorder.map((row) => `out of order: ${JSON.stringify(row)}`)];
}
