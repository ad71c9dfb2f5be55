// The outbox relay while Temporal refuses some commands, hangs, or is down.
import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { Log } from '../../src/common/log.js';
import type { WorkerDatabase } from '../../src/database/database.js';
import { Contact } from '../../src/outbox/contact.js';
import { OutboxRelay } from '../../src/outbox/outbox-relay.js';
import type { Workflows } from '../../src/outbox/workflow-kind.js';
import { WorkflowKinds } from '../../src/outbox/workflow-kinds.js';
import { eventually } from '../support/eventually.js';
import { install, type Installation } from '../support/installation.js';
import { idOf, testKind, workflowClient } from '../support/outbox.js';
import { openTcpProxy } from '../support/tcp-proxy.js';
import { openWorkerParts } from '../support/worker-parts.js';

const kind = testKind('job');
let colloquy: Installation;
let parts: Awaited<ReturnType<typeof openWorkerParts>>;
let relay: OutboxRelay | undefined;

beforeAll(async () => {
  colloquy = await install();
  parts = await openWorkerParts(colloquy.config);
});
afterEach(async () => {
  await relay?.stop();
  relay = undefined;
  await colloquy.sql.query('truncate workflow_commands');
});
afterAll(async () => {
  await parts.close();
  await colloquy.close();
});

function startRelay(workflows: Workflows = workflowClient(colloquy.temporal)): OutboxRelay {
  const database: WorkerDatabase = parts.database;
  relay = new OutboxRelay(database, new WorkflowKinds([kind]), { workflows }, new Contact(), new Log('silent'));
  relay.start();
  return relay;
}

interface Row {
  id: string;
  kind: string;
  attempts: number;
  error: string | null;
  waits_ms: number | null;
  is_parked: boolean;
  is_leased: boolean;
}

const ROWS = `
select id, kind, attempts, error, parked_at is not null as is_parked, leased_until > now() as is_leased,
  (extract(epoch from retry_at - now()) * 1000)::float8 as waits_ms
from workflow_commands where entity_id = $1 or $1 is null order by id`;
const rowsOf = async (entityId: string | null = null): Promise<Row[]> =>
  (await colloquy.sql.query<Row>(ROWS, [entityId])).rows;

async function add(entityId: string, ...kinds: string[]): Promise<void> {
  await colloquy.sql.query(
    "insert into workflow_commands (workflow, entity_id, kind) select 'job', $1, unnest($2::text[])",
    [entityId, kinds],
  );
}

/** As if this many refusals, and the following pause, had passed. */
const age = (entityId: string, attempts: number): Promise<unknown> =>
  colloquy.sql.query(
    'update workflow_commands set attempts = $2, retry_at = now() where entity_id = $1 and attempts > 0',
    [entityId, attempts],
  );

function refusedEntity(): string {
  const id = randomUUID();
  kind.refused.add(id);
  return id;
}

const isGone = async (entityId: string): Promise<boolean> => (await rowsOf(entityId)).length === 0;
const delivered = (entityId: string): Promise<unknown> => eventually(() => isGone(entityId));

/** Names of the signals that a workflow received, in order. */
async function signalsOf(entityId: string): Promise<string[]> {
  const { events } = await colloquy.temporal.workflow.getHandle(idOf('job', entityId)).fetchHistory();
  return (events ?? []).flatMap(({ workflowExecutionSignaledEventAttributes: signal }) => signal?.signalName ?? []);
}

describe('a command that Temporal refuses', () => {
  it('is retried after growing pauses, with the reason stored', async () => {
    const refused = refusedEntity();
    await add(refused, 'first');
    startRelay();
    const [row] = await eventually(async () => {
      const rows = await rowsOf(refused);
      return rows[0]?.attempts === 2 && rows;
    });
    expect(row).toMatchObject({ error: 'invalid_argument', is_parked: false });
    expect(row?.waits_ms).toBeGreaterThan(500);
    expect(row?.waits_ms).toBeLessThan(2_001);
  });

  it('delays the later ones of its workflow, which follow in order', async () => {
    const refused = refusedEntity();
    await add(refused, 'first', 'second', 'third');
    startRelay();
    await eventually(async () => (await rowsOf(refused))[0]?.attempts === 1);
    await add(refused, 'fourth');
    await delivered(await added('other'));
    expect((await rowsOf(refused)).map(({ attempts }) => Math.min(attempts, 1))).toEqual([1, 0, 0, 0]);
    kind.refused.delete(refused);
    await delivered(refused);
    expect(await signalsOf(refused)).toEqual(['first', 'second', 'third', 'fourth']);
  });

  it('is parked at the tenth attempt and then delays nothing', async () => {
    const refused = refusedEntity();
    await add(refused, 'first');
    const taken = await added('taken');
    startRelay();
    await delivered(taken);
    await eventually(async () => (await rowsOf(refused))[0]?.attempts === 1);
    await age(refused, 9);
    await eventually(async () => (await rowsOf(refused))[0]?.is_parked);
    expect(await rowsOf(refused)).toMatchObject([{ attempts: 10, error: 'invalid_argument', waits_ms: null }]);
    kind.refused.delete(refused);
    await add(refused, 'second');
    await eventually(async () => (await rowsOf(refused)).length === 1);
    expect(await signalsOf(refused)).toEqual(['second']);
  });

  it('does not delay others behind it, not even two hundred of them', async () => {
    for (let count = 0; count < 200; count += 1) await add(refusedEntity(), 'first');
    startRelay();
    await eventually(async () => (await rowsOf()).every(({ attempts }) => attempts > 0));
    const fresh = randomUUID();
    await colloquy.sql.query('update workflow_commands set retry_at = now()');
    await add(fresh, 'first');
    relay?.nudge();
    await delivered(fresh);
    // As many were tried meanwhile as a few claims have room for besides new ones.
    const again = (await rowsOf()).filter(({ attempts }) => attempts > 1);
    expect(again.length).toBeLessThan(100);
  });
});

/** Adds a command for a new entity. */
async function added(name: string): Promise<string> {
  const id = randomUUID();
  await add(id, name);
  return id;
}

describe('a claimed command', () => {
  it('is delivered by nobody else until its lease has ended', async () => {
    const [leased, free] = [await added('first'), await added('first')];
    await colloquy.sql.query(
      "update workflow_commands set leased_until = now() + interval '1 hour' where entity_id = $1",
      [leased],
    );
    await add(leased, 'second');
    startRelay();
    await delivered(free);
    expect((await rowsOf(leased)).map((row) => row.is_leased ?? false)).toEqual([true, false]);
    // Its worker has died.
    await colloquy.sql.query('update workflow_commands set leased_until = now() where entity_id = $1', [leased]);
    await delivered(leased);
    expect(await signalsOf(leased)).toEqual(['first', 'second']);
  });

  it('holds no lock and no transaction during the call to Temporal; a call that hangs delays nobody else', async () => {
    const proxy = await openTcpProxy(inject('services').temporalAddress);
    const connection = await Connection.connect({ address: proxy.address });
    const behindProxy = new Client({ connection, namespace: colloquy.config.temporal.namespace });
    try {
      proxy.hang();
      const hanging = await added('first');
      startRelay(workflowClient(behindProxy));
      await eventually(async () => (await rowsOf(hanging))[0]?.is_leased);
      const { rows: free } = await colloquy.sql.query('select id from workflow_commands for update skip locked');
      expect(free).toHaveLength(1);
      const { rows: open } = await colloquy.sql.query(
        `select state, query from pg_stat_activity
         where datname = current_database() and application_name = 'colloquy_worker' and state <> 'idle'`,
      );
      expect(open).toEqual([]);
      // No command was answered within the deadline, so this is not the command's own failure.
      const [row] = await eventually(async () => {
        const rows = await rowsOf(hanging);
        return rows[0]?.is_leased === false || rows[0]?.is_leased === null ? rows : undefined;
      });
      expect(row).toMatchObject({ attempts: 0, error: null });
    } finally {
      await relay?.stop();
      await connection.close();
      await proxy.close();
    }
    startRelay();
    await eventually(async () => (await rowsOf()).length === 0);
  });
});

describe('several workers', () => {
  it('share the commands, each of which is delivered once and in the order of its workflow', async () => {
    const entities = Array.from({ length: 20 }, () => randomUUID());
    const names = ['one', 'two', 'three', 'four'];
    const others = [startRelay(), startRelay()];
    startRelay();
    for (const name of names) await Promise.all(entities.map((id) => add(id, name)));
    for (const each of [...others, relay]) each?.nudge();
    await eventually(async () => (await rowsOf()).length === 0);
    await Promise.all(others.map((other) => other.stop()));
    for (const id of entities) expect(await signalsOf(id)).toEqual(names);
  });
});
