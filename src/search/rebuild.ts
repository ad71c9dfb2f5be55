// Sees to it that the index is whole: begins a rebuild when the search database is new, takes its steps while one is under way,
// and says when the indexer has fallen behind. It runs in every worker; a lease shares the steps out.
import { Injectable } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorFields, Log } from '../common/log.js';
import { LoopedWork } from '../common/work-loop.js';
import { searchIsComplete } from '../observability/metrics.js';
import { RebuildStep } from './rebuild-step.js';
import { SearchState } from './search-state.js';
import { SearchTodos } from './search-todos.js';

const POLL_MS = 2_000;
/** Conversations of one step. */
const STEP = 200;
/** What waits longer makes answers incomplete. */
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

  /** Looks once, and takes the next step of a rebuild; true: there are more. */
  async round(): Promise<boolean> {
    const { complete, indexed_until, rebuilding } = await this.state.read();
    searchIsComplete(complete);
    if (complete && !rebuilding) {
      await this.tellOfLag(indexed_until);
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
      // Half of the time is left to everything else that the worker does.
      if (hasMore && !this.isStopped) await sleep(performance.now() - begun);
      return hasMore;
    } catch (error) {
      if (!this.isFailing)
        this.log.warn('looking after the search index failed; trying again', { err: errorFields(error) });
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

  private async tellOfLag(told: Date | null): Promise<void> {
    const since = await this.todos.waitsSince();
    const isBehind = since !== null && Date.now() - since.getTime() > BEHIND_MS;
    if (isBehind || told !== null) await this.state.coversUntil(isBehind ? since : null);
  }
}
