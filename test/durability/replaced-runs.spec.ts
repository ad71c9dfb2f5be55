// Runs that cannot continue after a deployment: one that cannot replay its history, and one whose code throws.
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { Log } from '../../src/common/log.js';
import { ConversationKind } from '../../src/lifecycle/conversation.starter.js';
import { Contact } from '../../src/outbox/contact.js';
import { FailedRuns } from '../../src/outbox/failed-runs.js';
import { WorkflowKinds } from '../../src/outbox/workflow-kinds.js';
import { SearchAttributes } from '../../src/temporal/search-attributes.js';
import { WorkflowClient } from '../../src/temporal/workflow-client.js';
import { endPrograms, startProgram } from '../support/programs.js';
import { openWorkerParts } from '../support/worker-parts.js';
import { eventually, install, type Installation } from '../support/installation.js';

const BEGINNING = 'let status = await look(conversationId);';
const TRIES = 3;

let colloquy: Installation;

beforeAll(async () => {
  colloquy = await install();
});
afterEach(() => colloquy.stopWorkers());
afterAll(async () => {
  endPrograms();
  await colloquy.close();
});

/** Workflows that begin differently from those of today. */
function bundleThatBegins(beginning: string): string {
  const { workflowBundle, runDir } = inject('services');
  const code = readFileSync(workflowBundle, 'utf8');
  const changed = code.replace(BEGINNING, beginning);
  expect(changed).not.toBe(code);
  const path = join(mkdtempSync(join(runDir, 'changed-')), 'bundle.js');
  writeFileSync(path, changed);
  return path;
}

/** The bundle's name of the module that contains `condition`. */
function temporalModule(): string {
  const [, name = ''] = /(\w+)\.condition\)/.exec(readFileSync(inject('services').workflowBundle, 'utf8')) ?? [];
  return name;
}

describe('runs that fail at once', () => {
  it('all get new runs, however few a round replaces', async () => {
    const failing = bundleThatBegins(`throw ${temporalModule()}.ApplicationFailure.nonRetryable('broken');`);
    await colloquy.startWorker(failing);
    const calls = [1, 2, 3].map(() => colloquy.retell.addCall().call_id);
    for (const callId of calls) await colloquy.send('call_started', callId);
    const runs = await Promise.all(calls.map((callId) => colloquy.workflow(callId)));
    const statuses = async (): Promise<string[]> =>
      (await Promise.all(runs.map((run) => run.describe()))).map(({ status }) => status.name);
    await eventually(async () => (await statuses()).every((status) => status === 'FAILED'));
    await colloquy.stopWorkers();
    const listed = async (): Promise<number> =>
      (await colloquy.temporal.workflow.count("ExecutionStatus = 'Failed'")).count;
    await eventually(async () => (await listed()) >= calls.length);
    const log = new Log('silent');
    const attributes = new SearchAttributes({ areRegistered: true, log });
    const workflows = new WorkflowClient(colloquy.temporal, { eager: false, attributes });
    const { database, close } = await openWorkerParts(colloquy.config);
    const kinds = new WorkflowKinds([new ConversationKind('http://127.0.0.1')]);
    const failed = new FailedRuns(database, kinds, { workflows }, new Contact(), log);
    try {
      const started: number[] = [];
      for (let round = 0; round < 10; round += 1) started.push(await failed.round(1));
      expect(started.reduce((sum, count) => sum + count)).toBe(calls.length);
      expect(await statuses()).toEqual(['RUNNING', 'RUNNING', 'RUNNING']);
    } finally {
      await close();
      await Promise.all(runs.map((run) => run.terminate()));
    }
  }, 90_000);
});

describe('a conversation', () => {
  it('continues in a new run if the old one cannot replay its history', async () => {
    await colloquy.startWorker();
    const { callId, handle } = await colloquy.liveCall();
    const { runId, workflowId } = await handle.describe();
    await colloquy.stopWorkers();
    // A request to the provider where the history has a read of Postgres.
    await colloquy.startWorker(bundleThatBegins(BEGINNING.replace('look', 'askProvider')));
    colloquy.finish(callId);
    await colloquy.send('call_ended', callId);
    const settled = await colloquy.settled(callId, 60);
    expect(settled).toMatchObject({ status: 'completed', transcript_state: 'present', audio_state: 'present' });
    const first = colloquy.temporal.workflow.getHandle(workflowId, runId);
    expect((await first.describe()).status.name).toBe('FAILED');
    await eventually(async () => (await handle.describe()).status.name === 'COMPLETED');
  }, 90_000);

  it('continues in a new run if the old one fails at every attempt', async () => {
    await colloquy.startWorker(bundleThatBegins("throw new TypeError('broken');"));
    const { call_id: callId } = colloquy.retell.addCall();
    await colloquy.send('call_started', callId);
    const handle = await colloquy.workflow(callId);
    await eventually(async () => {
      const { raw } = await handle.describe();
      return (raw.pendingWorkflowTask?.attempt ?? 0) >= TRIES;
    }, 60);
    const { runId } = await handle.describe();
    await colloquy.stopWorkers();
    await colloquy.sql.query("update conversations set last_fact_at = now() - interval '2 hours'");
    // As workers do at their start, and hourly.
    const wake = startProgram('cli', colloquy.env, ['wake']);
    expect([await wake.ended, wake.said()]).toEqual([0, expect.stringContaining('1 of them had no workflow')]);
    expect((await handle.describe()).runId).not.toBe(runId);
    await colloquy.startWorker();
    colloquy.finish(callId);
    await colloquy.send('call_ended', callId);
    await colloquy.settled(callId);
  }, 120_000);
});
