// `colloquy wake`: starts missing workflows on demand, as fast as Temporal accepts them.
import type { WorkerDatabase } from '../database/database.js';
import { unparkCommands } from './command-queue.js';
import { Contact } from './contact.js';
import { startEach, tryAgain, type StartOptions } from './start-missing.js';
import type { WorkflowKind, Workflows } from './workflow-kind.js';
import type { WorkflowKinds } from './workflow-kinds.js';

const PAGE = 500;
const CONCURRENCY = 16;
const SAY_EVERY_MS = 5_000;

interface Wake {
  database: WorkerDatabase;
  workflows: Workflows;
  kinds: WorkflowKinds;
  say: (line: string) => void;
}

/**
 * Checks all kinds once and retries parked commands. Failed starts are reported and left to the workers. Throws if Temporal
 * or PostgreSQL is unavailable.
 */
export async function wakeAll(wake: Wake): Promise<void> {
  const unparked = await unparkCommands(wake.database);
  if (unparked > 0) wake.say(`workflow commands: ${unparked} were parked and are tried again`);
  const options = { workflows: wake.workflows, contact: new Contact(), concurrency: CONCURRENCY };
  const failures: unknown[] = [];
  for (const kind of wake.kinds.all)
    await wakeKind(wake, kind, options).catch((error: unknown) => failures.push(error));
  if (failures.length > 0) throw failures[0];
}

async function wakeKind({ database, say }: Wake, kind: WorkflowKind, options: StartOptions): Promise<void> {
  const count = { open: 0, started: 0, failed: 0 };
  let [after, saidAt]: [string | null, number] = [null, performance.now()];
  for (;;) {
    const page = await database.withScope('all', (tx) => kind.due(tx, after, PAGE));
    const last = page.at(-1);
    if (last === undefined) break;
    const { started, failed } = await startEach(page, options);
    await tryAgain(database, kind, failed);
    count.open += page.length;
    count.started += started;
    count.failed += failed.length;
    after = last.id;
    if (performance.now() - saidAt < SAY_EVERY_MS) continue;
    saidAt = performance.now();
    say(`${kind.type}: ${count.open} checked, ${count.started} started so far`);
  }
  say(`${kind.type}: ${count.open} have work, ${count.started} of them had no workflow and have one now`);
  if (count.failed > 0) say(`${kind.type}: ${count.failed} could not be started; the workers try them again`);
}
