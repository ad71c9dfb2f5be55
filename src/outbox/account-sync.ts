// Brings Temporal in line with the accounts in Postgres. Every change of an account writes a row, which is carried out and removed.
import { Injectable } from '@nestjs/common';
import { Log } from '../common/log.js';
import { LoopedWork } from '../common/work-loop.js';
import type { Transaction } from '../database/with-scope.js';
import { WorkerDatabase } from '../database/database.js';
import { REARM_AFTER_SECONDS, rearmStep, type Rearm } from './rearm-conversations.js';
import { tellWorkflow } from './tell-workflow.js';
import { WorkflowConnection, type WorkflowKind, type Workflows } from './workflow-kind.js';
import { WorkflowKinds } from './workflow-kinds.js';

const POLL_MS = 2_000;
const BATCH = 16;

const NEXT = `
select id, provider_account_id, rearms, rearmed_until from account_commands
where not rearms or created_at < now() - make_interval(secs => ${REARM_AFTER_SECONDS})
order by id limit $1 for update skip locked`;
const DONE = 'delete from account_commands where id = any($1::bigint[])';
// Serialises workers that sync the same account: the second one reads the state that the first one left.
const ALONE = 'select pg_advisory_xact_lock(hashtextextended($1, 0))';

@Injectable()
export class AccountSync extends LoopedWork {
  constructor(
    private readonly database: WorkerDatabase,
    private readonly kinds: WorkflowKinds,
    private readonly temporal: WorkflowConnection,
    private readonly log: Log,
  ) {
    super(1, POLL_MS);
  }

  protected override async runRound(): Promise<boolean> {
    try {
      return (await this.round()) === BATCH;
    } catch (error) {
      this.log.error('syncing accounts to Temporal failed; trying again', {}, error);
      return false;
    }
  }

  /** Carries out one batch; resolves with the number of rows. */
  async round(): Promise<number> {
    const { database, kinds } = this;
    const { workflows } = this.temporal;
    if (workflows === null) return 0;
    return database.withScope('all', async (tx) => {
      const all = await tx.query<Rearm & { rearms: boolean }>({ text: NEXT, values: [BATCH] });
      const done: string[] = [];
      for (const row of all) if (row.rearms && (await rearmStep(tx, row))) done.push(row.id);
      const rows = all.filter(({ rearms }) => !rearms);
      for (const accountId of new Set(rows.map((row) => row.provider_account_id))) {
        // The remaining rows wait for the next worker: a slow Temporal must not delay the shutdown of this one.
        if (this.isStopped) break;
        await syncAccount(tx, workflows, { backfills: kinds.of('reconciliation'), accountId });
        done.push(...rows.filter((row) => row.provider_account_id === accountId).map(({ id }) => id));
      }
      if (done.length > 0) await tx.query({ text: DONE, values: [done] });
      return done.length;
    });
  }
}

/** Starts the account's backfill if it is incomplete. A running one is signalled, so that it re-checks before finishing. */
async function syncAccount(
  tx: Transaction,
  workflows: Workflows,
  { backfills, accountId }: { backfills: WorkflowKind; accountId: string },
): Promise<void> {
  await tx.query({ text: ALONE, values: [accountId] });
  for (const { start } of await backfills.dueAmong(tx, [accountId])) {
    await tellWorkflow(workflows, start, backfills.signalOf('asked'));
  }
}
