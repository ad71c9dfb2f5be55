// What an operator sees of a backfill in the Temporal UI: its progress, and what blocks it.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { WorkflowHandle } from '@temporalio/client';
import { startApi, type Api } from '../support/api.js';
import { eventually, install, type Installation } from '../support/installation.js';
import { addAccount, addPast, backfilled, progressOf } from './account.js';

const DAYS = 3;
const CALLS = 120;

let colloquy: Installation;
let api: Api;

beforeAll(async () => {
  colloquy = await install({ env: { COLLOQUY_PROVIDER_RATE: '2000' } });
  api = await startApi(colloquy);
  await colloquy.startWorker();
});
afterAll(async () => {
  await api.close();
  await colloquy.close();
});

/** The workflow of the backfill, once it exists. */
async function workflowOf(accountId: string): Promise<WorkflowHandle> {
  const handle = colloquy.temporal.workflow.getHandle(`reconciliation/backfill/${accountId}`);
  await eventually(() => handle.describe().catch(() => null));
  return handle;
}

async function detailsOf(handle: WorkflowHandle): Promise<string> {
  const metadata = await handle.query<{ currentDetails?: string }>('__temporal_workflow_metadata');
  return metadata.currentDetails ?? '';
}

/** What the UI shows of an activity that waits for its next attempt. */
const waitingOf = (handle: WorkflowHandle) =>
  eventually(async () => {
    const { raw } = await handle.describe();
    const [activity] = raw.pendingActivities ?? [];
    return activity?.lastFailure && activity;
  });

describe('a backfill in the Temporal UI', () => {
  it('shows its progress while it runs and at its end', { timeout: 120_000 }, async () => {
    addPast(colloquy, CALLS, 2);
    // Slow enough that the newest day takes a step of its own.
    colloquy.retell.faults.getDelayMs = 3_000;
    const accountId = await addAccount(colloquy, api, { backfill_days: DAYS });
    const handle = await workflowOf(accountId);
    const running = await eventually(async () => {
      const details = await detailsOf(handle);
      return details.startsWith('**running**') && details;
    }, 90);
    colloquy.retell.faults.getDelayMs = 0;
    const [, checked, added] = /: (\d+) conversations checked, (\d+) of them imported/.exec(running) ?? [];
    expect(Number(checked)).toBeGreaterThan(0);
    expect(Number(checked)).toBeLessThan(CALLS);
    expect(added).toBe(checked);
    await backfilled(api, accountId);
    await handle.result();
    const details = await detailsOf(handle);
    expect(details).toMatch(
      new RegExp(`^\\*\\*completed\\*\\*: ${CALLS} conversations checked, ${CALLS} of them imported`),
    );
    const { done_until: doneUntil } = await progressOf(api, accountId);
    expect(details).toContain(`| ${doneUntil} |`);
  });

  it('shows what blocks it when it has failed', async () => {
    const accountId = await addAccount(colloquy, api, { backfill_days: DAYS, api_key: 'key_wrong' });
    const handle = await workflowOf(accountId);
    expect(await handle.result()).toMatchObject({ status: 'failed', problem: 'provider_answered_401' });
    expect(await detailsOf(handle)).toMatch(/^\*\*failed\*\* \(provider_answered_401\): /);
  });

  it('shows what it waits for, and until when, after a Retry-After', async () => {
    colloquy.retell.faults.retryAfterSeconds = 600;
    colloquy.retell.faults.listStatus = [429];
    const from = Date.now();
    const accountId = await addAccount(colloquy, api, { backfill_days: DAYS });
    const { lastFailure, nextAttemptScheduleTime } = await waitingOf(await workflowOf(accountId));
    expect(lastFailure?.message).toBe('waiting for the provider, which answered 429');
    expect(Number(nextAttemptScheduleTime?.seconds) * 1000 - from).toBeGreaterThan(590_000);
    expect(await progressOf(api, accountId)).toMatchObject({ status: 'running', last_error: 'provider_answered_429' });
  });
});
