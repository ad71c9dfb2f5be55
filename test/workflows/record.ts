// Records missing histories from real runs. After an intended change of a workflow (and only if no open execution still runs
// the old code), remove the files that no longer replay and record them again:
//   RECORD_HISTORIES=yes npx vitest run test/workflows/replay.spec.ts
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { WorkflowHandle } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { eventually } from '../support/eventually.js';
import { install, type Installation } from '../support/installation.js';
import { ACCOUNT_SCENARIOS } from './account-scenarios.js';
import { CANARIES, CANARY_CALL } from './canaries.js';

const HISTORIES = join(import.meta.dirname, 'histories');

const NO_LINK = { recording_url: undefined, recording_multi_channel_url: undefined };

type Scenario = (colloquy: Installation) => Promise<WorkflowHandle>;

const plainPath: Scenario = async (colloquy) => {
  const { callId, handle } = await colloquy.liveCall(CANARY_CALL);
  colloquy.finish(callId, CANARY_CALL);
  await colloquy.send('call_ended', callId);
  return handle;
};

const neverConnected: Scenario = async (colloquy) => {
  const { call_id: callId } = colloquy.retell.addCompleteCall({
    call_id: `${CANARIES.callId}_never`,
    from_number: CANARIES.agent,
    to_number: CANARIES.customer,
    disconnection_reason: 'dial_no_answer',
    metadata: { order: CANARIES.metadata },
  });
  await colloquy.send('call_ended', callId);
  return colloquy.workflow(callId);
};

const lost: Scenario = async (colloquy) => {
  const { callId, handle } = await colloquy.liveCall({ ...CANARY_CALL, call_id: `${CANARIES.callId}_lost` });
  colloquy.retell.faults.missing.add(callId);
  return handle;
};

const lateWake: Scenario = async (colloquy) => {
  const { call_id: callId } = colloquy.retell.addCompleteCall({ ...CANARY_CALL, call_id: `${CANARIES.callId}_late` });
  const link = colloquy.retell.calls.get(callId)?.recording_url;
  colloquy.retell.calls.update(callId, NO_LINK);
  await colloquy.send('call_ended', callId);
  await (await colloquy.workflow(callId)).result();
  colloquy.retell.calls.update(callId, { recording_url: link });
  const first = await (await colloquy.workflow(callId)).describe();
  await colloquy.send('call_analyzed', callId);
  return eventually(async () => {
    const { runId, workflowId } = await (await colloquy.workflow(callId)).describe();
    return runId !== first.runId && colloquy.temporal.workflow.getHandle(workflowId, runId);
  });
};

const watchdogAskedTwice: Scenario = async (colloquy) => {
  const { callId, handle } = await colloquy.liveCall({ ...CANARY_CALL, call_id: `${CANARIES.callId}_asked` });
  await eventually(async () => colloquy.requestsOf(callId, 'get') === 2);
  colloquy.finish(callId, CANARY_CALL);
  await colloquy.send('call_ended', callId);
  return handle;
};

export const SCENARIOS: Record<string, Scenario> = {
  'plain-path': plainPath,
  'never-connected': neverConnected,
  lost,
  'late-wake': lateWake,
  'watchdog-asked-twice': watchdogAskedTwice,
  ...ACCOUNT_SCENARIOS,
};

/** Removes details of the recording machine: replay needs neither host names nor paths. */
function withoutMachine(key: string, value: unknown): unknown {
  const namesHost = typeof value === 'string' && value.includes(`@${hostname()}`);
  if (key === 'identity' || namesHost) return 'recorded';
  return key === 'stackTrace' ? '' : value;
}

/** Longer histories are stored compressed. */
const PLAIN_CHARACTERS = 100_000;

/** Names of the recorded histories, by scenario. */
export const recorded = (): Map<string, string> =>
  new Map(readdirSync(HISTORIES).map((file) => [file.replace(/\.json(\.gz)?$/, ''), file]));

/** A recorded history as JSON. */
export function readHistory(file: string): string {
  const bytes = readFileSync(join(HISTORIES, file));
  return (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
}

function writeHistory(name: string, history: unknown): void {
  const text = `${JSON.stringify(history, null, 1)}\n`;
  const file = join(HISTORIES, `${name}.json`);
  if (text.length > PLAIN_CHARACTERS) writeFileSync(`${file}.gz`, gzipSync(text));
  else writeFileSync(file, text);
}

/** Runs every scenario that has no history yet on a real installation and writes it. */
export async function recordHistories(): Promise<void> {
  const known = recorded();
  const deadlines = { silence: 2, ask_every: 1, analysis: 2, transcript: 2, audio: 2 };
  const colloquy = await install({ deadlines });
  try {
    await colloquy.startWorker();
    for (const [name, scenario] of Object.entries(SCENARIOS).filter(([name]) => !known.has(name))) {
      const handle = await scenario(colloquy);
      await handle.result();
      writeHistory(name, JSON.parse(historyToJSON(await handle.fetchHistory()), withoutMachine));
    }
  } finally {
    await colloquy.close();
  }
}
