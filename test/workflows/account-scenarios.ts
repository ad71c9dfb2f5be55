// Real runs of account workflows, to be recorded: a backfill.
import type { WorkflowHandle } from '@temporalio/client';
import { startApi, type Api } from '../support/api.js';
import { eventually, type Installation } from '../support/installation.js';
import { addAccount } from '../reconciliation/account.js';
import { CANARIES, CANARY_CALL } from './canaries.js';

export type AccountScenario = (colloquy: Installation) => Promise<WorkflowHandle>;

const HOUR_MS = 3_600_000;

/** Adds a call that ended an hour ago, full of canaries. */
function addPastCall({ retell }: Installation, name: string): void {
  const callId = `${CANARIES.callId}_${name}`;
  retell.addCompleteCall({ ...CANARY_CALL, call_id: callId, end_timestamp: Date.now() - HOUR_MS, duration_ms: 30_000 });
}

async function withApi<Result>(colloquy: Installation, work: (api: Api) => Promise<Result>): Promise<Result> {
  const api = await startApi(colloquy);
  try {
    return await work(api);
  } finally {
    await api.close();
  }
}

const addAccountWithPast = (colloquy: Installation): Promise<string> =>
  withApi(colloquy, (api) => addAccount(colloquy, api, { backfill_days: 1 }));

async function backfillOf({ temporal }: Installation, accountId: string): Promise<WorkflowHandle> {
  const handle = temporal.workflow.getHandle(`reconciliation/backfill/${accountId}`);
  const { runId, workflowId } = await eventually(() => handle.describe().catch(() => null));
  return temporal.workflow.getHandle(workflowId, runId);
}

const backfill: AccountScenario = async (colloquy) => {
  addPastCall(colloquy, 'past');
  return backfillOf(colloquy, await addAccountWithPast(colloquy));
};

/** Signalled whenever it is about to finish, so that it runs on; after a hundred steps it continues as new. */
const backfillContinued: AccountScenario = async (colloquy) => {
  await colloquy.stopWorkers();
  const accountId = await addAccountWithPast(colloquy);
  let release = await holdBackfills(colloquy);
  await colloquy.startWorker();
  const first = await backfillOf(colloquy, accountId);
  const isRunning = async (): Promise<boolean> => (await first.describe()).status.name === 'RUNNING';
  while (await isRunning()) {
    await eventually(async () => !(await isRunning()) || (await isWaiting(colloquy, 'RowExclusiveLock')));
    if (await isRunning()) await first.signal('asked');
    const next = holdBackfills(colloquy);
    await eventually(() => isWaiting(colloquy, 'ExclusiveLock'));
    await release();
    release = await next;
  }
  await release();
  return first;
};

/** Blocks writes to backfills until the returned function is called. */
async function holdBackfills({ sql }: Installation): Promise<() => Promise<void>> {
  const connection = await sql.connect();
  await connection.query('begin; lock table backfills in exclusive mode');
  return async () => {
    await connection.query('commit');
    connection.release();
  };
}

/** `RowExclusiveLock`: a step waits to write; `ExclusiveLock`: `holdBackfills` waits to block the next step. */
const isWaiting = async ({ sql }: Installation, mode: string): Promise<boolean> => {
  const text = `select 1 from pg_locks where relation = 'backfills'::regclass and mode = $1 and not granted`;
  return (await sql.query(text, [mode])).rows.length > 0;
};

export const ACCOUNT_SCENARIOS: Record<string, AccountScenario> = {
  backfill,
  'backfill-continued': backfillContinued,
};
