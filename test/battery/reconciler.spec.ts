// Many open conversations whose workflows are all gone, while a few calls fail. Temporal is a fake here: a real server
// cannot be made to fail single calls, and would take minutes to start so many. test/durability/reconciler.spec.ts uses
// the real one.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { Log } from '../../src/common/log.js';
import { ConversationKind } from '../../src/lifecycle/conversation.starter.js';
import { CallFailed } from '../../src/outbox/call-failed.js';
import { Contact } from '../../src/outbox/contact.js';
import { Reconciler } from '../../src/outbox/reconciler.js';
import { wakeAll } from '../../src/outbox/wake.js';
import type { WorkflowKind, Workflows } from '../../src/outbox/workflow-kind.js';
import { WorkflowKinds } from '../../src/outbox/workflow-kinds.js';
import { eventually } from '../support/eventually.js';
import { install, type Installation } from '../support/installation.js';
import { addOpenConversations } from '../support/open-conversations.js';
import { testKind } from '../support/outbox.js';
import { openWorkerParts } from '../support/worker-parts.js';

/** Number of conversations; one in `oneIn` calls fails. */
const { count, oneIn } = { small: { count: 2_000, oneIn: 400 }, whole: { count: 20_000, oneIn: 4_000 } }[
  inject('battery')
];
const FAILING = count / oneIn;

let colloquy: Installation;
let parts: Awaited<ReturnType<typeof openWorkerParts>>;
let ids: string[];
const conversations = new ConversationKind('http://127.0.0.1');

beforeAll(async () => {
  colloquy = await install();
  parts = await openWorkerParts(colloquy.config);
  ids = await addOpenConversations(colloquy.sql, colloquy.clientId, count);
}, 60_000);
afterEach(() => colloquy.sql.query('truncate workflow_commands, reconciler_passes'));
afterAll(async () => {
  await parts.close();
  await colloquy.close();
});

class PlayedTemporal implements Workflows {
  readonly running = new Set<string>();
  /** Number of calls to `start`, by workflow id. */
  readonly calls = new Map<string, number>();
  private count = 0;

  async start({ workflowId }: { workflowId: string }): Promise<boolean> {
    this.count += 1;
    this.calls.set(workflowId, (this.calls.get(workflowId) ?? 0) + 1);
    if (this.count % oneIn === 0) throw new CallFailed('unavailable', 'server', null);
    if (this.running.has(workflowId)) return false;
    this.running.add(workflowId);
    return true;
  }

  signal = (): Promise<void> => Promise.reject(new Error('nothing is signalled'));
  replaceStuck = (): Promise<boolean> => Promise.resolve(false);
  failedSince = (): Promise<never[]> => Promise.resolve([]);
}

const FAST = { callsPerSecond: 100_000, startsPerSecond: 100_000 };

function reconcilerOf(workflows: Workflows, kinds: WorkflowKind[], pace = FAST): Reconciler {
  return new Reconciler(
    parts.database,
    new WorkflowKinds(kinds),
    { workflows },
    new Contact(),
    new Log('silent'),
    pace,
  );
}

interface PassRow {
  workflow: string;
  checked: number;
  started: number;
  failed: number;
  has_ended: boolean;
}

const passes = async (): Promise<PassRow[]> =>
  (
    await colloquy.sql.query<PassRow>(
      'select workflow, checked, started, failed, ended_at is not null as has_ended from reconciler_passes order by 1',
    )
  ).rows;
const hasEnded = async (): Promise<boolean> =>
  (await passes()).find(({ workflow }) => workflow === 'conversation')?.has_ended === true;

const TRIED_AGAIN =
  "select entity_id from workflow_commands where kind = 'restart' and attempts = 1 and error = 'unavailable'";
const triedAgain = async (): Promise<number> => (await colloquy.sql.query(TRIED_AGAIN)).rows.length;

describe('one pass of the reconciler', () => {
  it('starts everything except failed calls, which are retried separately', async () => {
    const temporal = new PlayedTemporal();
    const reconciler = reconcilerOf(temporal, [conversations]);
    reconciler.start();
    reconciler.connected({ hasLostAll: false });
    await eventually(hasEnded, 120);
    await reconciler.stop();
    expect(await passes()).toMatchObject([{ checked: count, started: count - FAILING, failed: FAILING }]);
    expect(temporal.running.size).toBe(count - FAILING);
    expect(await triedAgain()).toBe(FAILING);
    expect(Math.max(...temporal.calls.values())).toBe(1);
  }, 150_000);

  it('continues where it was, also in another worker', async () => {
    const temporal = new PlayedTemporal();
    for (let worker = 0; !(await hasEnded()); worker += 1) {
      const reconciler = reconcilerOf(temporal, [conversations]);
      reconciler.start();
      if (worker === 0) reconciler.connected({ hasLostAll: false });
      await sleep(count / 10);
      await reconciler.stop();
      expect(worker).toBeLessThan(200);
    }
    expect(await passes()).toMatchObject([{ checked: count }]);
    expect(temporal.running.size + (await triedAgain())).toBe(count);
    // A step that a stopping worker had begun is repeated.
    const repeated = [...temporal.calls.values()].filter((calls) => calls > 1).length;
    expect(repeated).toBeLessThan(count / 4);
  }, 150_000);

  it('is run by one of several workers', async () => {
    const temporal = new PlayedTemporal();
    const several = Array.from({ length: 3 }, () => reconcilerOf(temporal, [conversations]));
    for (const each of several) each.start();
    for (const each of several) each.connected({ hasLostAll: false });
    await eventually(hasEnded, 120);
    await Promise.all(several.map((each) => each.stop()));
    expect(temporal.running.size).toBe(count - FAILING);
    // Requests during a pass share one further pass.
    expect(Math.max(...temporal.calls.values())).toBeLessThanOrEqual(2);
  }, 150_000);

  it('of one kind is not held up by another kind that fails', async () => {
    const temporal = new PlayedTemporal();
    const failing = testKind('failing', { due: () => Promise.reject(new Error('no such column')) });
    const reconciler = reconcilerOf(temporal, [failing, conversations]);
    reconciler.start();
    reconciler.connected({ hasLostAll: false });
    await eventually(hasEnded, 120);
    await reconciler.stop();
    expect(temporal.running.size).toBe(count - FAILING);
    expect(await passes()).toMatchObject([{ workflow: 'conversation' }, { workflow: 'failing', has_ended: false }]);
  }, 150_000);

  it('starts at most twenty workflows a second, and starts over when Temporal has lost everything', async () => {
    const temporal = new PlayedTemporal();
    const reconciler = reconcilerOf(temporal, [conversations], { callsPerSecond: 200, startsPerSecond: 20 });
    reconciler.start();
    reconciler.connected({ hasLostAll: false });
    await eventually(async () => temporal.running.size > 0);
    const [from, before] = [performance.now(), temporal.running.size];
    await sleep(3_000);
    const perSecond = ((temporal.running.size - before) * 1_000) / (performance.now() - from);
    expect(perSecond).toBeLessThanOrEqual(20);
    expect(perSecond).toBeGreaterThan(5);
    const first = ids[0] ?? '';
    const workflowId = [...temporal.calls.keys()][0] ?? '';
    temporal.running.clear();
    reconciler.connected({ hasLostAll: true });
    await eventually(async () => temporal.running.has(workflowId));
    await reconciler.stop();
    expect(conversations.entityIdOf(workflowId)).toBe(first);
  }, 60_000);
});

describe('colloquy wake', () => {
  it('retries parked commands, goes through everything at full speed, and reports what could not be started', async () => {
    const temporal = new PlayedTemporal();
    const said: string[] = [];
    const parked = randomUUID();
    await colloquy.sql.query(
      `insert into workflow_commands (workflow, entity_id, kind, attempts, error, parked_at)
       values ('conversation', $1, 'ended', 10, 'invalid_argument', now())`,
      [parked],
    );
    await wakeAll({
      database: parts.database,
      workflows: temporal,
      kinds: new WorkflowKinds([conversations]),
      say: (line) => said.push(line),
    });
    expect(temporal.running.size).toBe(count - FAILING);
    expect(await triedAgain()).toBe(FAILING);
    expect(said[0]).toBe('workflow commands: 1 were parked and are tried again');
    const { rows } = await colloquy.sql.query(
      'select attempts, error, parked_at from workflow_commands where entity_id = $1',
      [parked],
    );
    expect(rows).toEqual([{ attempts: 0, error: null, parked_at: null }]);
    expect(said.slice(-2)).toEqual([
      `conversation: ${count} have work, ${count - FAILING} of them had no workflow and have one now`,
      `conversation: ${FAILING} could not be started; the workers try them again`,
    ]);
  }, 150_000);
});
