// Ensures that everything that has work has a workflow, even after Temporal has lost its data. One worker checks each kind on
// connecting to Temporal and every hour, at a limited rate.
import { Injectable, Optional } from '@nestjs/common';
import { errorFields, Log } from '../common/log.js';
import { Pace } from '../common/pace.js';
import { LoopedWork } from '../common/work-loop.js';
import { WorkerDatabase } from '../database/database.js';
import { Contact } from './contact.js';
import { ReconcilerPasses, type Pass } from './reconciler-passes.js';
import { startEach, tryAgain, withoutCommands } from './start-missing.js';
import { WorkflowConnection, type Workflows } from './workflow-kind.js';
import { WorkflowKinds } from './workflow-kinds.js';

const POLL_MS = 2_000;
/** Entities per step; a step takes two seconds if all of them must be started. */
const STEP = 32;
const CONCURRENCY = 4;
const GENTLE: ReconcilerPace = { callsPerSecond: 200, startsPerSecond: 20 };
/** Pauses of a failing kind double from this to {@link LAST_PAUSE_MS}. */
const FIRST_PAUSE_MS = 5_000;
const LAST_PAUSE_MS = 300_000;

interface ReconcilerPace {
  callsPerSecond: number;
  startsPerSecond: number;
}

interface Pause {
  until: number;
  ms: number;
}

@Injectable()
export class Reconciler extends LoopedWork {
  private readonly passes: ReconcilerPasses;
  private readonly pauses = new Map<string, Pause>();
  private readonly pace: { calls: Pace; starts: Pace };

  constructor(
    private readonly database: WorkerDatabase,
    private readonly kinds: WorkflowKinds,
    private readonly temporal: WorkflowConnection,
    private readonly contact: Contact,
    private readonly log: Log,
    @Optional() { callsPerSecond, startsPerSecond }: ReconcilerPace = GENTLE,
  ) {
    super(1, POLL_MS);
    this.pace = { calls: new Pace(callsPerSecond), starts: new Pace(startsPerSecond) };
    this.passes = new ReconcilerPasses(database, kinds.types);
  }

  /** Requests a pass after connecting to Temporal. If it `hasLostAll`, the pass under way starts from the beginning. */
  connected({ hasLostAll }: { hasLostAll: boolean }): void {
    void this.passes.ask({ again: hasLostAll }).then(
      () => this.nudge(),
      (error: unknown) => this.log.error('requesting a reconciler pass failed', {}, error),
    );
  }

  override async stop(): Promise<void> {
    await super.stop();
    await this.passes.resign().catch(() => undefined); // the lease expires
  }

  /** One step of every kind, so that no kind waits for the whole pass of another. */
  protected override async runRound(): Promise<boolean> {
    const { workflows } = this.temporal;
    if (workflows === null) return false;
    try {
      const passes = await this.passes.underWay();
      const steps = await Promise.all(passes.map((pass) => this.tryStep(workflows, pass)));
      return steps.includes(true);
    } catch (error) {
      this.log.error('the reconciler failed; trying again', {}, error);
      return false;
    }
  }

  /** True if the step succeeded. A failing kind pauses; the others continue. */
  private async tryStep(workflows: Workflows, pass: Pass): Promise<boolean> {
    const pause = this.pauses.get(pass.workflow);
    if (this.isStopped || performance.now() < (pause?.until ?? 0)) return false;
    try {
      await this.step(workflows, pass);
      this.pauses.delete(pass.workflow);
      return true;
    } catch (error) {
      const ms = Math.min(LAST_PAUSE_MS, pause === undefined ? FIRST_PAUSE_MS : pause.ms * 2);
      this.pauses.set(pass.workflow, { until: performance.now() + ms, ms });
      this.log.warn('starting missing workflows failed; trying again', {
        workflow: pass.workflow,
        err: errorFields(error),
      });
      return false;
    }
  }

  private async step(workflows: Workflows, pass: Pass): Promise<void> {
    const { database, contact, pace } = this;
    const kind = this.kinds.of(pass.workflow);
    const due = await database.withScope('all', (tx) => kind.due(tx, pass.position, STEP));
    const last = due.at(-1);
    if (last === undefined) return this.end(pass);
    const options = { workflows, contact, pace, concurrency: CONCURRENCY, isStopped: () => this.isStopped };
    const { started, failed } = await startEach(await withoutCommands(database, kind, due), options);
    // On a stop some entities may be unchecked: do not advance past them.
    if (this.isStopped) return;
    await tryAgain(database, kind, failed);
    await this.passes.advance(pass, { position: last.id, checked: due.length, started, failed: failed.length });
  }

  private async end(pass: Pass): Promise<void> {
    const { workflow, checked: open, started, failed } = pass;
    if (!(await this.passes.end(pass))) return;
    this.log.info('everything that has work has its workflow', { workflow, open, started, failed });
  }
}
