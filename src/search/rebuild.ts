// Keeps the index complete: starts a rebuild if the search database is new, runs the steps of a rebuild under way, and records
// when the indexer lags behind. Runs in every worker; a lease divides the steps among them.
import { Injectable } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorFields, Log } from '../common/log.js';
import { LoopedWork } from '../common/work-loop.js';
import { searchIsComplete } from '../observability/metrics.js';
import { RebuildStep } from './rebuild-step.js';
import { SearchState } from './search-state.js';
import { SearchTodos } from './search-todos.js';

const POLL_MS = 2_000;
/** Conversations per step. */
const STEP = 200;
/** A longer lag is reported as an incomplete index. */
const BEHIND_MS = 10_000;

@Injectable()
export class Rebuild extends LoopedWork {
  private isFailing = false;

  constructor(
    private readonly state: SearchState,
    private readonly steps: RebuildStep,
    private readonly todos: SearchTodos,
    private readonly log: Log,
  ) {
    super(1, POLL_MS);
  }

  /** Checks the state and runs the next step of a rebuild; true: there are more. */
  async round(): Promise<boolean> {
    const { complete, indexed_until, rebuilding } = await this.state.read();
    searchIsComplete(complete);
    if (complete && !rebuilding) {
      await this.reportLag(indexed_until);
      return false;
    }
    if (!rebuilding && (await this.state.begin({ always: false })))
      this.log.info('the search index is not complete: building it from the content');
    return this.step();
  }

  protected override async runRound(): Promise<boolean> {
    const begun = performance.now();
    try {
      const hasMore = await this.round();
      this.isFailing = false;
      // Leaves half of the time to the worker's other tasks.
      if (hasMore && !this.isStopped) await sleep(performance.now() - begun);
      return hasMore;
    } catch (error) {
      if (!this.isFailing)
        this.log.warn('maintaining the search index failed; trying again', { err: errorFields(error) });
      this.isFailing = true;
      return false;
    }
  }

  private async step(): Promise<boolean> {
    const lease = await this.state.lease();
    if (lease === null) return false;
    const total = lease.total ?? (await this.steps.total());
    const { next, done } = await this.steps.rebuildStep(lease.after, STEP);
    const isOurs = await this.state.advance(lease, { after: next, written: done, total });
    if (isOurs && next === null) this.log.info('the search index is complete');
    return next !== null;
  }

  private async reportLag(coveredUntil: Date | null): Promise<void> {
    const since = await this.todos.waitsSince();
    const isBehind = since !== null && Date.now() - since.getTime() > BEHIND_MS;
    if (isBehind || coveredUntil !== null) await this.state.coversUntil(isBehind ? since : null);
  }
}
