// Gauges of what waits, read from the tables. Served by the worker: its role may read the inbox, the API's may not.
import { Gauge, type Registry } from 'prom-client';
import type { Database } from '../database/database.js';
import type { Transaction } from '../database/with-scope.js';

/** Shortest time between two reads, milliseconds, however often the metrics are scraped. */
const HELD_MS = 10_000;
/** Counting stops here: 100,000 says enough, and counting on would load an installation that is in trouble. */
const MAX_COUNT = 100_000;

const INBOX_STATES = ['pending', 'parked', 'unknown'] as const;
const RECORD_STATES = ['open', 'settling'] as const;
const AGES = ['15m', '1h', '1d', '7d', 'older'] as const;

// Ids are time-ordered, so the first pending row by primary key is the oldest.
const OLDEST = `
select greatest(0, extract(epoch from now() - received_at))::float8 as lag from inbox where state = 'pending' order by id limit 1`;
const INBOX = INBOX_STATES.map(
  (state) => `select '${state}' as state, count(*)::int as count from (
    select 1 from inbox where state = '${state}' limit ${MAX_COUNT}) as counted`,
).join(' union all ');
const COMMANDS = `
select count(*)::int as count, coalesce(extract(epoch from now() - min(created_at)), 0)::float8 as age
from (select created_at from workflow_commands where parked_at is null order by id limit ${MAX_COUNT}) as counted`;
const PARKED = `
select count(*)::int as count, 0 as age
from (select 1 from workflow_commands where attempts > 0 and parked_at is not null limit ${MAX_COUNT}) as counted`;
// The lowest position was drawn first.
const JOURNAL = `
select count(*)::int as count, coalesce(greatest(0, extract(epoch from now() - (
  select time from journal where position = (select min(position) from journal_pending)))), 0)::float8 as age
from (select 1 from journal_pending limit ${MAX_COUNT}) as counted`;
const UNINDEXED = `
select count(*)::int as count, coalesce(extract(epoch from now() - min(since)), 0)::float8 as age
from (select since from search_todo order by due_at limit ${MAX_COUNT}) as counted`;
const UNSETTLED = `
select record_state, case
    when age < interval '15 minutes' then '15m' when age < interval '1 hour' then '1h'
    when age < interval '1 day' then '1d' when age < interval '7 days' then '7d' else 'older' end as age,
  count(*)::int as count
from (select record_state, now() - coalesce(end_time, start_time) as age from conversations
  where record_state in ('open', 'settling') limit ${MAX_COUNT}) as counted
group by 1, 2`;

interface Unsettled {
  record_state: string;
  age: string;
  count: number;
}

interface Waiting {
  count: number;
  /** Seconds. */
  age: number;
}

const NOTHING: Waiting = { count: 0, age: 0 };

interface Snapshot {
  lag: number;
  inbox: { state: string; count: number }[];
  commands: Waiting;
  parked: Waiting;
  journal: Waiting;
  unindexed: Waiting;
  unsettled: Unsettled[];
}

async function read(tx: Transaction): Promise<Snapshot> {
  await tx.query({ text: "set local statement_timeout = '3s'" });
  const [oldest] = await tx.query<{ lag: number }>({ name: 'oldest_pending', text: OLDEST });
  const inbox = await tx.query<{ state: string; count: number }>({ name: 'inbox_depth', text: INBOX });
  const waiting = async (name: string, text: string): Promise<Waiting> =>
    (await tx.query<Waiting>({ name, text }))[0] ?? NOTHING;
  const commands = await waiting('commands_waiting', COMMANDS);
  const parked = await waiting('commands_parked', PARKED);
  const journal = await waiting('journal_waiting', JOURNAL);
  const unindexed = await waiting('unindexed', UNINDEXED);
  const unsettled = await tx.query<Unsettled>({ name: 'unsettled', text: UNSETTLED });
  return { lag: oldest?.lag ?? 0, inbox, commands, parked, journal, unindexed, unsettled };
}

/** Gauges over the tables of `database`. While it cannot be read, they are absent and `colloquy_backlog_readable` is 0. */
export class Backlog {
  private readonly readable: Gauge;
  private readonly lag: Gauge;
  private readonly inbox: Gauge<'state'>;
  private readonly commands: Gauge;
  private readonly oldestCommand: Gauge;
  private readonly parkedCommands: Gauge;
  private readonly journal: Gauge;
  private readonly oldestEntry: Gauge;
  private readonly unindexed: Gauge;
  private readonly oldestUnindexed: Gauge;
  private readonly unsettled: Gauge<'record_state' | 'age'>;
  private reading: Promise<void> = Promise.resolve();
  private readAt = -Infinity;

  constructor(
    registry: Registry,
    private readonly database: Database,
  ) {
    const gauge = <Label extends string>(name: string, help: string, labelNames: Label[] = []): Gauge<Label> =>
      new Gauge({ name, help, labelNames, registers: [registry] });
    this.readable = gauge('colloquy_backlog_readable', 'Whether the backlog could be read from PostgreSQL: 1 or 0');
    this.lag = gauge('colloquy_ingest_lag_seconds', 'Age of the oldest pending fact, 0 if there is none');
    this.inbox = gauge('colloquy_inbox_facts', `Facts in the inbox by state, counted up to ${MAX_COUNT}`, ['state']);
    this.commands = gauge('colloquy_workflow_commands_waiting', 'Workflow commands that have not reached Temporal');
    this.oldestCommand = gauge(
      'colloquy_workflow_commands_oldest_seconds',
      'Age of the oldest workflow command that has not reached Temporal, 0 if there is none',
    );
    this.parkedCommands = gauge(
      'colloquy_workflow_commands_parked',
      'Workflow commands that Temporal kept refusing and that are no longer tried',
    );
    this.journal = gauge('colloquy_journal_pending', `Journal entries without a number, counted up to ${MAX_COUNT}`);
    this.oldestEntry = gauge(
      'colloquy_journal_pending_oldest_seconds',
      'Age of the oldest entry without a number, 0 if there is none',
    );
    this.unindexed = gauge(
      'colloquy_search_todo',
      `Conversations that the search index lags behind, counted up to ${MAX_COUNT}`,
    );
    this.oldestUnindexed = gauge(
      'colloquy_search_todo_oldest_seconds',
      'Age of the oldest of them, 0 if there is none',
    );
    this.unsettled = gauge(
      'colloquy_conversations_unsettled',
      `Conversations by the time since their end (open: since their start), counted up to ${MAX_COUNT}`,
      ['record_state', 'age'],
    );
  }

  /** Brings the gauges up to date, at most once in 10 s; resolves when they are. */
  refresh(): Promise<void> {
    if (Date.now() - this.readAt >= HELD_MS) {
      this.readAt = Date.now();
      this.reading = this.database.withScope('all', read).then(
        (snapshot) => this.show(snapshot),
        () => this.hide(), // shown by colloquy_backlog_readable
      );
    }
    return this.reading;
  }

  private show(snapshot: Snapshot): void {
    this.readable.set(1);
    this.lag.set(snapshot.lag);
    this.commands.set(snapshot.commands.count);
    this.oldestCommand.set(snapshot.commands.age);
    this.parkedCommands.set(snapshot.parked.count);
    this.journal.set(snapshot.journal.count);
    this.oldestEntry.set(snapshot.journal.age);
    this.unindexed.set(snapshot.unindexed.count);
    this.oldestUnindexed.set(snapshot.unindexed.age);
    for (const { state, count } of snapshot.inbox) this.inbox.set({ state }, count);
    for (const record_state of RECORD_STATES) for (const age of AGES) this.unsettled.set({ record_state, age }, 0);
    for (const { record_state, age, count } of snapshot.unsettled) this.unsettled.set({ record_state, age }, count);
  }

  private hide(): void {
    this.readable.set(0);
    const { lag, commands, oldestCommand, parkedCommands, journal, oldestEntry, unindexed, oldestUnindexed } = this;
    for (const gauge of [
      lag,
      commands,
      oldestCommand,
      parkedCommands,
      journal,
      oldestEntry,
      unindexed,
      oldestUnindexed,
    ])
      gauge.remove();
    for (const gauge of [this.inbox, this.unsettled]) gauge.reset();
  }
}
