// The reconciler and the real Temporal, which refuses some starts. Many more, and calls without an answer: test/battery.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Log } from '../../src/common/log.js';
import { Contact } from '../../src/outbox/contact.js';
import { OutboxRelay } from '../../src/outbox/outbox-relay.js';
import { Reconciler } from '../../src/outbox/reconciler.js';
import type { DueWorkflow } from '../../src/outbox/workflow-kind.js';
import { WorkflowKinds } from '../../src/outbox/workflow-kinds.js';
import { eventually } from '../support/eventually.js';
import { install, type Installation } from '../support/installation.js';
import { idOf, testKind, workflowClient } from '../support/outbox.js';
import { openWorkerParts } from '../support/worker-parts.js';

const COUNT = 60;

let colloquy: Installation;
let parts: Awaited<ReturnType<typeof openWorkerParts>>;
const entities = Array.from({ length: COUNT }, () => randomUUID()).toSorted();
const kind = testKind('task', {
  due: async (tx, after, limit) => {
    const ids = entities.filter((id) => after === null || id > after).slice(0, limit);
    const starts = await kind.startsOf(tx, ids);
    return [...starts].map(([id, start]): DueWorkflow => ({ id, start, isQuiet: false }));
  },
});
const [first = '', waiting = ''] = entities;
const refused = [first, entities[40] ?? ''];

beforeAll(async () => {
  colloquy = await install();
  parts = await openWorkerParts(colloquy.config);
});
afterAll(async () => {
  await parts.close();
  await colloquy.close();
});

const startedAt = async (entityId: string): Promise<number | null> => {
  const described = await colloquy.temporal.workflow
    .getHandle(idOf('task', entityId))
    .describe()
    .catch(() => null);
  return described?.startTime.getTime() ?? null;
};

describe('a pass', () => {
  it('starts all but what Temporal refuses, at most twenty a second, and the relay tries these again', async () => {
    const { sql, temporal } = colloquy;
    for (const id of refused) kind.refused.add(id);
    // The relay has it in hand.
    await sql.query(
      "insert into workflow_commands (workflow, entity_id, kind, leased_until) values ('task', $1, 'first', now() + interval '1 hour')",
      [waiting],
    );
    const [kinds, log] = [new WorkflowKinds([kind]), new Log('silent')];
    const connection = { workflows: workflowClient(temporal) };
    const reconciler = new Reconciler(parts.database, kinds, connection, new Contact(), log);
    reconciler.start();
    reconciler.connected({ hasLostAll: false });
    await eventually(
      async () => (await sql.query('select 1 from reconciler_passes where ended_at > begun_at')).rows[0],
    );
    await reconciler.stop();
    const untouched = [...refused, waiting];
    const times = await Promise.all(entities.filter((id) => !untouched.includes(id)).map(startedAt));
    expect(times).not.toContain(null);
    const all = times.map(Number);
    // No more than 20 of them in the first second.
    expect(Math.max(...all) - Math.min(...all)).toBeGreaterThan(((all.length - 20) * 1_000) / 20);
    expect(await Promise.all(untouched.map(startedAt))).toEqual([null, null, null]);

    const RESTARTS = "select entity_id, attempts, error from workflow_commands where kind = 'restart' order by 1";
    expect((await sql.query(RESTARTS)).rows).toMatchObject(
      refused.map((entity_id) => ({ entity_id, error: 'invalid_argument' })),
    );
    kind.refused.clear();
    const relay = new OutboxRelay(parts.database, kinds, connection, new Contact(), log);
    relay.start();
    await eventually(async () => (await sql.query(RESTARTS)).rows.length === 0);
    await relay.stop();
    expect(await Promise.all(refused.map(startedAt))).not.toContain(null);
  }, 60_000);
});
