// Replays recorded histories against today's workflows: a change that breaks conversations under way fails here.
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DeterminismViolationError } from '@temporalio/workflow';
import { DefaultLogger, Runtime, Worker, type ReplayResult } from '@temporalio/worker';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { bundledWorkflows } from './bundled.js';
import { canariesIn, CANARIES, textOf } from './canaries.js';
import { readHistory, recorded, recordHistories, SCENARIOS } from './record.js';

const names = (): string[] => [...recorded().keys()].toSorted();
const read = (name: string): string => readHistory(recorded().get(name) ?? '');

/** Names of the activities that the histories have. */
const scheduled = (): string[] => [
  ...new Set(
    names().flatMap((name) =>
      [...read(name).matchAll(/"activityType": \{\s+"name": "(\w+)"/g)].map(([, type = '']) => type),
    ),
  ),
];

/** Replays every recorded history by the workflows of this bundle; no server takes part. */
async function replayAll(bundle: string): Promise<ReplayResult[]> {
  const histories = names().map((name) => {
    const history: unknown = JSON.parse(read(name));
    return { workflowId: name, history };
  });
  const results: ReplayResult[] = [];
  for await (const result of Worker.runReplayHistories({ workflowBundle: { codePath: bundle } }, histories)) {
    results.push(result);
  }
  return results;
}

// A case that is there only when it is asked for.
// oxlint-disable-next-line vitest/no-conditional-tests
if (process.env['RECORD_HISTORIES'] === 'yes') {
  describe('recording', () => {
    it('writes a history for every scenario that has none', recordHistories, 180_000);
  });
} else {
  // Quiet: the changed workflow is meant to fail.
  beforeAll(() =>
    Runtime.install({
      logger: new DefaultLogger('ERROR'),
      telemetryOptions: { logging: { filter: 'OFF', forward: {} } },
    }),
  );
}

describe('recorded histories', () => {
  it('are there for every scenario, and for every workflow', () => {
    expect(names()).toEqual(Object.keys(SCENARIOS).toSorted());
    const types = names().map((name) => /"workflowType": \{\s+"name": "(\w+)"/.exec(read(name))?.[1]);
    expect(new Set(types)).toEqual(new Set(bundledWorkflows()));
  });

  it('hold one that began anew', () => {
    expect(read('backfill-continued')).toContain('EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW');
  });

  it('replay without a difference by the workflows of today', async () => {
    const results = await replayAll(inject('services').workflowBundle);
    expect(results).toHaveLength(names().length);
    expect(results.filter(({ error }) => error !== undefined)).toEqual([]);
  });

  it('fail to replay by a workflow that was changed, so that the check above means something', async () => {
    const code = readFileSync(inject('services').workflowBundle, 'utf8');
    const changed = code.replaceAll(new RegExp(`\\b(${scheduled().join('|')})\\b`, 'g'), '$1Changed');
    expect(changed).not.toBe(code);
    const bundle = join(mkdtempSync(join(inject('services').runDir, 'changed-')), 'bundle.js');
    writeFileSync(bundle, changed);
    const results = await replayAll(bundle);
    expect(results).toHaveLength(names().length);
    for (const { error } of results) expect(error).toBeInstanceOf(DeterminismViolationError);
  });

  it.each(names())('hold no name, no number and no word of the call: %s', (name) => {
    const text = textOf(read(name));
    expect(canariesIn(text)).toEqual([]);
    // The search itself works: what may be there is found, and so would be a canary.
    expect(text).toMatch(/"(conv|pa)_[0-9a-z]{26}"/);
    expect(canariesIn(`${text}${Buffer.from(CANARIES.name).toString('base64')}`)).toContain(CANARIES.name);
  });
});
