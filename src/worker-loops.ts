// The loops of a worker: what starts when, and in which order they end. Intake and reads go on while Temporal is away; only
// workflows wait for it.
import { Inject, Injectable } from '@nestjs/common';
import { Log } from './common/log.js';
import { CONFIG } from './config/config.module.js';
import { required, type Config } from './config/config.js';
import { Listener } from './database/notifier.js';
import { Intake } from './intake/intake.js';
import { JournalNumbering } from './journal/journal-numbering.js';
import { Maintenance } from './maintenance/maintenance.js';
import type { MetricsServer } from './observability/metrics-server.js';
import { WORKER_METRICS } from './observability/worker-observability.module.js';
import { AccountSync } from './outbox/account-sync.js';
import { FailedRuns } from './outbox/failed-runs.js';
import { OutboxRelay } from './outbox/outbox-relay.js';
import { Reconciler } from './outbox/reconciler.js';
import { DuePolls } from './reconciliation/due-polls.js';
import { TemporalWorker } from './temporal/temporal-worker.js';

@Injectable()
export class WorkerLoops {
  private readonly relays: (OutboxRelay | AccountSync | FailedRuns)[];
  private readonly listeners: Listener[];

  constructor(
    @Inject(CONFIG) { databaseUrl }: Config,
    private readonly intake: Intake,
    private readonly numbering: JournalNumbering,
    outbox: OutboxRelay,
    accounts: AccountSync,
    failedRuns: FailedRuns,
    private readonly reconciler: Reconciler,
    private readonly temporal: TemporalWorker,
    private readonly polls: DuePolls,
    private readonly maintenance: Maintenance,
    @Inject(WORKER_METRICS) private readonly metrics: MetricsServer | null,
    private readonly log: Log,
  ) {
    this.relays = [outbox, accounts, failedRuns];
    const url = required(databaseUrl, 'DATABASE_URL');
    this.listeners = [
      new Listener(url, 'colloquy_inbox', () => intake.nudge()),
      new Listener(url, 'colloquy_workflow_commands', () => {
        this.nudgeRelays();
        polls.nudge();
      }),
    ];
  }

  /** Facts are applied from now on. Temporal is connected to in the background. */
  start(): void {
    const { intake, numbering, temporal, polls, maintenance, relays, listeners, metrics, log } = this;
    intake.onCommit(() => numbering.nudge());
    temporal.onConnected(() => {
      this.nudgeRelays();
      this.reconciler.nudge();
    });
    for (const loop of [intake, numbering, ...relays, temporal, polls, maintenance]) loop.start();
    for (const listener of listeners) void listener.start();
    log.info('worker ready', { ...(metrics && { metrics_port: metrics.port }) });
  }

  /** Finishes what is under way. What hangs is waited for: whoever calls it sets the limit. */
  async stop(): Promise<void> {
    this.maintenance.stop();
    this.reconciler.stop();
    const relays = Promise.all(this.relays.map((relay) => relay.stop())).then(() => undefined);
    // Activities may still hand in facts: what applies them goes last.
    await Promise.all([this.temporal.stop(relays), this.polls.stop()]);
    // Their starts are not waited for: `pg` never settles a connect that was ended while it was under way.
    for (const listener of this.listeners) listener.stop();
    await this.intake.stop();
    await this.numbering.stop();
  }

  private nudgeRelays(): void {
    for (const relay of this.relays) relay.nudge();
  }
}
