// What Temporal must be told of accounts: rows written with each change of one, told and removed; and all of it again at the
// worker's start and each hour, so that not even the loss of Temporal's database loses a backfill.
import type { Log } from '../common/log.js';
import { WorkLoop } from '../common/work-loop.js';
import type { Transaction } from '../database/with-scope.js';
import type { WorkerDatabase } from '../database/database.js';
import { REARM_AFTER_SECONDS, rearmStep, type Rearm } from '../conversations/rearm.js';
import type { AccountOfWorkflow, AccountWorkflows } from './account-workflows.js';

const POLL_MS = 2_000;
const BATCH = 16;

const NEXT = `
select id, provider_account_id, rearms, rearmed_until from account_wakes
where not rearms or created_at < now() - make_interval(secs => ${REARM_AFTER_SECONDS})
order by id limit $1 for update skip locked`;
const DONE = 'delete from account_wakes where id = any($1::bigint[])';
// Two workers that tell of one account go one after the other, and the later one tells what is true then.
const ALONE = 'select pg_advisory_xact_lock(hashtextextended($1, 0))';
const UNFINISHED = `
select a.id, a.client_id, a.provider from provider_accounts a join backfills b on b.provider_account_id = a.id
where a.deleted_at is null and b.status in ('pending', 'running')`;

interface Dependencies {
  database: WorkerDatabase;
  /** Null while Temporal is away. */
  workflows: () => AccountWorkflows | null;
  log: Log;
}

export class AccountRelay {
  private readonly loop: WorkLoop;

  constructor(private readonly deps: Dependencies) {
    this.loop = new WorkLoop(() => this.turn(), POLL_MS);
  }

  start(): void {
    this.loop.start();
  }

  nudge(): void {
    this.loop.nudge();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  private async turn(): Promise<boolean> {
    try {
      return (await this.round()) === BATCH;
    } catch (error) {
      this.deps.log.error('telling Temporal of accounts failed; trying again', {}, error);
      return false;
    }
  }

  /** Tells one batch of changes; how many. */
  async round(): Promise<number> {
    const { database, workflows } = this.deps;
    const temporal = workflows();
    if (temporal === null) return 0;
    return database.withScope('all', async (tx) => {
      const all = await tx.query<Rearm & { rearms: boolean }>({ text: NEXT, values: [BATCH] });
      const told: string[] = [];
      for (const row of all) if (row.rearms && (await rearmStep(tx, row))) told.push(row.id);
      const rows = all.filter(({ rearms }) => !rearms);
      for (const accountId of new Set(rows.map((row) => row.provider_account_id))) {
        // What is left waits for the next worker: a Temporal that is slow must not hold up the end of this one.
        if (this.loop.isStopped) break;
        await tellOf(tx, temporal, accountId);
        told.push(...rows.filter((row) => row.provider_account_id === accountId).map(({ id }) => id));
      }
      if (told.length > 0) await tx.query({ text: DONE, values: [told] });
      return told.length;
    });
  }
}

/** Makes Temporal what Postgres says of one account. */
async function tellOf(tx: Transaction, temporal: AccountWorkflows, accountId: string): Promise<void> {
  await tx.query({ text: ALONE, values: [accountId] });
  const text = `${UNFINISHED} and a.id = $1`;
  const [account] = await tx.query<AccountOfWorkflow>({ text, values: [accountId] });
  if (account !== undefined) await temporal.startBackfill(account);
}

export interface ToldAccounts {
  /** Backfills that are not done. */
  backfills: number;
}

/** Starts every unfinished backfill that does not run. */
export async function tellAll(database: WorkerDatabase, temporal: AccountWorkflows): Promise<ToldAccounts> {
  const accounts = await database.withScope('all', (tx) =>
    tx.query<AccountOfWorkflow>({ text: `${UNFINISHED} order by a.id` }),
  );
  for (const { id } of accounts) await database.withScope('all', (tx) => tellOf(tx, temporal, id));
  return { backfills: accounts.length };
}
