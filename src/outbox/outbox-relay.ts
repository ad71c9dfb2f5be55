// Sends workflow commands to workflows. A row is deleted only when Temporal has answered the call, so that a crash between
// intake's commit and the signal loses nothing.
import { Injectable } from '@nestjs/common';
import { Batcher } from '../common/batcher.js';
import { Log } from '../common/log.js';
import { LoopedWork } from '../common/work-loop.js';
import { WorkerDatabase } from '../database/database.js';
import { notRead, type Refusal } from './call-failed.js';
import { CommandQueue, DELIVER_WITHIN_MS, type ClaimedCommand, type Outcome } from './command-queue.js';
import { Contact } from './contact.js';
import { deliver } from './deliver.js';
import { readCommands, type Command } from './read-commands.js';
import { WorkflowConnection, type Workflows } from './workflow-kind.js';
import { WorkflowKinds } from './workflow-kinds.js';

const POLL_MS = 2_000;
/** Most commands per claim, and in all claims under way. */
const BATCH = 32;
const MOST_CLAIMED = 96;
/** Pause before the next claim while Temporal is unavailable. */
const REST_MS = 2_000;

@Injectable()
export class OutboxRelay extends LoopedWork {
  private readonly queue: CommandQueue;
  private readonly outcomes: Batcher<Outcome[], void>;
  private readonly deliveries = new Set<Promise<void>>();
  private claimed = 0;
  /** More commands may be waiting than could be claimed. */
  private wantsRoom = false;
  private restsUntil = 0;

  constructor(
    private readonly database: WorkerDatabase,
    private readonly kinds: WorkflowKinds,
    private readonly temporal: WorkflowConnection,
    private readonly contact: Contact,
    private readonly log: Log,
  ) {
    super(1, POLL_MS);
    this.queue = new CommandQueue(database);
    this.outcomes = new Batcher((all) => this.record(all), { maxItems: MOST_CLAIMED, concurrency: 1 });
  }

  /** Resolves when the calls under way have ended; unsent commands are left to other workers. */
  override async stop(): Promise<void> {
    await super.stop();
    await Promise.all(this.deliveries);
  }

  /** Makes one claim and does not wait for its delivery, so that a slow call delays no other workflow. */
  protected override async runRound(): Promise<boolean> {
    const { workflows } = this.temporal;
    if (workflows === null || performance.now() < this.restsUntil) return false;
    this.wantsRoom = this.claimed + BATCH > MOST_CLAIMED;
    if (this.wantsRoom) return false;
    try {
      const rows = await this.queue.claim(this.kinds.types, BATCH);
      if (rows.length > 0) this.begin(workflows, rows);
      return rows.length >= BATCH;
    } catch (error) {
      this.log.error('outbox relay failed; trying again', {}, error);
      return false;
    }
  }

  private begin(workflows: Workflows, rows: ClaimedCommand[]): void {
    this.claimed += rows.length;
    const delivery = this.deliverAll(workflows, rows).finally(() => this.deliveries.delete(delivery));
    this.deliveries.add(delivery);
  }

  private async deliverAll(workflows: Workflows, rows: ClaimedCommand[]): Promise<void> {
    const until = performance.now() + DELIVER_WITHIN_MS;
    const { groups, gone, unread } = await readCommands(this.database, this.kinds, rows);
    for (const { error } of unread) this.log.error('workflow commands cannot be read; trying again', {}, error);
    await Promise.all([
      this.done(gone.map(({ id }): Outcome => ({ id, is: 'done' }))),
      this.done(
        unread.flatMap(({ rows: of, error }) =>
          of.map((row) => ({ id: row.id, is: 'refused', ...notRead(error, row) })),
        ),
      ),
      ...groups.map((group) => this.deliverGroup(workflows, group, until)),
    ]);
  }

  private async deliverGroup(workflows: Workflows, group: Command[], until: number): Promise<void> {
    const mayGoOn = (): boolean => !this.isStopped && performance.now() < until;
    const { outcomes, isAway } = await deliver({ workflows, contact: this.contact }, group, mayGoOn);
    if (isAway) this.restsUntil = performance.now() + REST_MS;
    await this.done(outcomes);
  }

  /** Concurrent outcomes share a commit. */
  private async done(outcomes: Outcome[]): Promise<void> {
    if (outcomes.length > 0) await this.outcomes.add(outcomes);
  }

  private async record(batches: Outcome[][]): Promise<void[]> {
    const outcomes = batches.flat();
    this.reportOutcomes(outcomes);
    try {
      const waits = await this.queue.settle(outcomes);
      if (waits || this.wantsRoom) setImmediate(() => this.nudge());
    } catch (error) {
      this.log.error('outbox relay failed; trying again', {}, error); // the rows are claimed again when their lease ends
    }
    this.claimed -= outcomes.length;
    return batches.map(() => undefined);
  }

  private reportOutcomes(outcomes: Outcome[]): void {
    const refused = outcomes.filter((one) => one.is === 'refused');
    const parked = refused.filter(({ parks }) => parks);
    const about = (some: Refusal[]) => ({ commands: some.length, codes: [...new Set(some.map(({ code }) => code))] });
    if (parked.length > 0) this.log.error('workflow commands parked, which Temporal keeps refusing', about(parked));
    if (refused.length > parked.length) this.log.warn('workflow commands refused; trying again', about(refused));
    if (outcomes.some(({ is }) => is === 'released') && !this.isStopped)
      this.log.warn('workflow commands not delivered; trying again');
  }
}
