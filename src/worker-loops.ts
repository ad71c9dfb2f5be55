// Starts and stops the loops of a worker, in the right order. Intake runs while Temporal is unavailable; only workflows wait
// for it.
import { Inject, Injectable } from '@nestjs/common';
import { Log } from './common/log.js';
import type { LoopedWork } from './common/work-loop.js';
import { CONFIG } from './config/config.module.js';
import { required, type Config } from './config/config.js';
import { Listener } from './database/notifier.js';
import { Intake } from './intake/intake.js';
import { JournalNumbering } from './journal/journal-numbering.js';
import { Maintenance } from './maintenance/maintenance.js';
import type { MetricsServer } from './observability/metrics-server.js';
import { WORKER_METRICS } from './observability/worker-observability.module.js';
import { AccountRearms } from './outbox/account-rearms.js';
import { FailedRuns } from './outbox/failed-runs.js';
import { OutboxRelay } from './outbox/outbox-relay.js';
import { Reconciler } from './outbox/reconciler.js';
import { Indexer } from './search/indexer.js';
import { Rebuild } from './search/rebuild.js';
import { DuePolls } from './reconciliation/due-polls.js';
import { TemporalWorker } from './temporal/temporal-worker.js';

@Injectable()
export class WorkerLoops {
  private readonly relays: LoopedWork[];
  private readonly listeners: Listener[];

  constructor(
    @Inject(CONFIG) { databaseUrl }: Config,
    private readonly intake: Intake,
    private readonly numbering: JournalNumbering,
    private readonly outbox: OutboxRelay,
    rearms: AccountRearms,
    failedRuns: FailedRuns,
    private readonly reconciler: Reconciler,
    private readonly temporal: TemporalWorker,
    private readonly polls: DuePolls,
    private readonly indexer: Indexer,
    private readonly rebuild: Rebuild,
    private readonly maintenance: Maintenance,
    @Inject(WORKER_METRICS) private readonly metrics: MetricsServer | null,
    private readonly log: Log,
  ) {
    this.relays = [outbox, rearms, failedRuns, reconciler];
    const url = required(databaseUrl, 'DATABASE_URL');
    this.listeners = [
      new Listener(url, 'colloquy_inbox', () => intake.nudge()),
      new Listener(url, 'colloquy_workflow_commands', () => {
        outbox.nudge();
        polls.nudge();
      }),
      new Listener(url, 'colloquy_search', () => indexer.nudge()),
    ];
  }

  /** Starts all loops; the connection to Temporal is made in the background. */
  start(): void {
    const { intake, numbering, indexer, rebuild, temporal, polls, maintenance, relays, listeners, metrics, log } = this;
    intake.onCommit(() => numbering.nudge());
    temporal.onConnected((how) => {
      this.outbox.nudge();
      this.reconciler.connected(how);
    });
    for (const loop of [intake, numbering, indexer, rebuild, ...relays, temporal, polls, maintenance]) loop.start();
    for (const listener of listeners) void listener.start();
    log.info('worker ready', { ...(metrics && { metrics_port: metrics.port }) });
  }

  /** Finishes the current work, without a time limit: the caller sets one. */
  async stop(): Promise<void> {
    this.maintenance.stop();
    const relays = Promise.all(this.relays.map((relay) => relay.stop())).then(() => undefined);
    // Intake stops last, since activities may still add facts.
    await Promise.all([this.temporal.stop(relays), this.polls.stop()]);
    // Do not await their start(): `pg` never settles a connect() that was ended before it finished.
    for (const listener of this.listeners) listener.stop();
    await this.intake.stop();
    // What they leave is done by the next worker.
    await Promise.all([this.numbering.stop(), this.indexer.stop(), this.rebuild.stop()]);
  }
}
