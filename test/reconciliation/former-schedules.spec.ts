// What versions that polled by schedules left in Temporal.
import { ScheduleOverlapPolicy } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newUuid, publicId } from '../../src/common/ids.js';
import { eventually, install, type Installation } from '../support/installation.js';

let colloquy: Installation;

beforeAll(async () => {
  colloquy = await install();
});
afterAll(() => colloquy.close());

/** As those versions made it. */
async function formerSchedule(accountId: string): Promise<string> {
  const scheduleId = `poll/${publicId('providerAccount', accountId)}`;
  const args = [{ accountId: publicId('providerAccount', accountId) }];
  await colloquy.temporal.schedule.create({
    scheduleId,
    spec: { intervals: [{ every: 3_600_000 }] },
    action: { type: 'startWorkflow', workflowType: 'poll', workflowId: scheduleId, taskQueue: 'conversations', args },
    policies: { overlap: ScheduleOverlapPolicy.SKIP },
    state: { triggerImmediately: true },
  });
  return scheduleId;
}

async function schedules(): Promise<string[]> {
  const ids: string[] = [];
  for await (const { scheduleId } of colloquy.temporal.schedule.list()) ids.push(scheduleId);
  return ids.toSorted();
}

async function runs(scheduleId: string): Promise<string[]> {
  const names: string[] = [];
  const query = `WorkflowId STARTS_WITH '${scheduleId}'`;
  for await (const { status } of colloquy.temporal.workflow.list({ query })) names.push(status.name);
  return names;
}

describe('a worker', () => {
  it('removes the schedules of its accounts with their runs, and leaves those of others alone', async () => {
    const own = await formerSchedule(colloquy.accountId);
    const foreign = await formerSchedule(newUuid());
    await eventually(async () => (await schedules()).length === 2);
    for (const id of [own, foreign]) await eventually(async () => (await runs(id)).includes('RUNNING'));
    await colloquy.startWorker();
    await eventually(async () => (await schedules()).length === 1);
    expect(await schedules()).toEqual([foreign]);
    await eventually(async () => (await runs(own)).every((status) => status === 'TERMINATED'));
    expect(await runs(foreign)).toEqual(['RUNNING']);
  });
});
