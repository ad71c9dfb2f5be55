// Replays recorded histories against the current workflows: a change that breaks open conversations fails here.
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

/** Names of the activities in the histories. */
const scheduled = (): string[] => [
  ...new Set(
    names().flatMap((name) =>
      [...read(name).matchAll(/"activityType": \{\s+"name": "(\w+)"/g)].map(([, type = '']) => type),
    ),
  ),
];

/** Replays every recorded history with the workflows of this bundle, without a server. */
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

// Defined only on request.
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
  it('exist for every scenario and every workflow', () => {
    expect(names()).toEqual(Object.keys(SCENARIOS).toSorted());
    const types = names().map((name) => /"workflowType": \{\s+"name": "(\w+)"/.exec(read(name))?.[1]);
    expect(new Set(types)).toEqual(new Set(bundledWorkflows()));
  });

  it('include one that continued as new', () => {
    expect(read('backfill-continued')).toContain('EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW');
  });

  it('replay without a difference on the current workflows', async () => {
    const results = await replayAll(inject('services').workflowBundle);
    expect(results).toHaveLength(names().length);
    expect(results.filter(({ error }) => error !== undefined)).toEqual([]);
  });

  it('fail to replay on a changed workflow, which proves that the check above works', async () => {
    const code = readFileSync(inject('services').workflowBundle, 'utf8');
    const changed = code.replaceAll(new RegExp(`\\b(${scheduled().join('|')})\\b`, 'g'), '$1Changed');
    expect(changed).not.toBe(code);
    const bundle = join(mkdtempSync(join(inject('services').runDir, 'changed-')), 'bundle.js');
    writeFileSync(bundle, changed);
    const results = await replayAll(bundle);
    expect(results).toHaveLength(names().length);
    for (const { error } of results) expect(error).toBeInstanceOf(DeterminismViolationError);
  });

  it.each(names())('contain no name, number or word of the call: %s', (name) => {
    const text = textOf(read(name));
    expect(canariesIn(text)).toEqual([]);
    // Proves that the search works: it finds ids, which are allowed, so it would also find a canary.
    expect(text).toMatch(/"(conv|pa)_[0-9a-z]{26}"/);
    expect(canariesIn(`${text}${Buffer.from(CANARIES.name).toString('base64')}`)).toContain(CANARIES.name);
  });
});
