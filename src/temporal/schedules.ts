// What runs for an account in Temporal: its backfill, and the schedule that polls its list. Postgres says what there should
// be; this makes it so, however often it is asked.
import {
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
  WorkflowIdReusePolicy,
  type Client,
} from '@temporalio/client';
import { TypedSearchAttributes } from '@temporalio/common';
import type { AccountInput } from '../../workflows/messages.js';
import { publicId } from '../common/ids.js';
import { QUEUE, SEARCH_ATTRIBUTE } from './settings.js';

/** An account as its workflows show it: ids and enumerations. */
export interface ScheduledAccount {
  id: string;
  client_id: string;
  provider: string;
}

const ASKED = 'asked';
const DEADLINE_MS = 5_000;
const POLL_ID = /^poll\/(pa_[0-9a-z]{26})$/;
/** A poll that was missed is of no use: the next one sees what is live then. */
const CATCH_UP = '10 seconds';

const pollIdOf = (accountId: string): string => `poll/${publicId('providerAccount', accountId)}`;

const backfillIdOf = (accountId: string): string => `reconciliation/backfill/${publicId('providerAccount', accountId)}`;

export class AccountWorkflows {
  constructor(
    private readonly client: Client,
    private readonly options: { publicUrl: string },
  ) {}

  /** Starts the backfill's workflow; one that runs is told, lest it end in this moment without having looked again. */
  async startBackfill(account: ScheduledAccount): Promise<void> {
    const { workflowType, ...action } = this.actionOf(account, 'reconciliation', backfillIdOf(account.id));
    const options = { ...action, signal: ASKED, workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE };
    await this.bounded(() => this.client.workflow.signalWithStart(workflowType, options));
  }

  /** Polls every `seconds`, whether or not there was a schedule. */
  async ensurePolling(account: ScheduledAccount, seconds: number): Promise<void> {
    const scheduleId = pollIdOf(account.id);
    const schedule = {
      spec: { intervals: [{ every: seconds * 1000 }] },
      action: { type: 'startWorkflow' as const, ...this.actionOf(account, 'poll', scheduleId) },
      policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: CATCH_UP, pauseOnFailure: false },
    };
    const update = (): Promise<void> =>
      this.bounded(() => this.client.schedule.getHandle(scheduleId).update(({ state }) => ({ ...schedule, state })));
    try {
      await update();
    } catch (error) {
      if (!(error instanceof ScheduleNotFoundError)) throw error;
      await this.bounded(() => this.client.schedule.create({ ...schedule, scheduleId })).catch((failure: unknown) => {
        // Another worker was quicker.
        if (!(failure instanceof ScheduleAlreadyRunning)) throw failure;
        return update();
      });
    }
  }

  /** Ends polling, whether or not there was a schedule. */
  async endPolling(accountId: string): Promise<void> {
    try {
      await this.bounded(() => this.client.schedule.getHandle(pollIdOf(accountId)).delete());
    } catch (error) {
      if (!(error instanceof ScheduleNotFoundError)) throw error;
    }
  }

  /** Public ids of the accounts that have a schedule. Temporal lists with some delay. */
  async polledAccounts(): Promise<string[]> {
    const ids: string[] = [];
    for await (const { scheduleId } of this.client.schedule.list()) {
      const id = POLL_ID.exec(scheduleId)?.[1];
      if (id !== undefined) ids.push(id);
    }
    return ids;
  }

  private actionOf(account: ScheduledAccount, workflowType: 'reconciliation' | 'poll', workflowId: string) {
    const accountId = publicId('providerAccount', account.id);
    const input: AccountInput = { accountId };
    const what = workflowType === 'poll' ? 'live conversations' : 'backfill';
    return {
      workflowType,
      workflowId,
      taskQueue: QUEUE.conversations,
      args: [input] as [AccountInput],
      typedSearchAttributes: new TypedSearchAttributes([
        { key: SEARCH_ATTRIBUTE.clientId, value: publicId('client', account.client_id) },
        { key: SEARCH_ATTRIBUTE.provider, value: account.provider },
      ]),
      staticSummary: `${account.provider} · ${what}`,
      staticDetails: `[Account](${this.options.publicUrl}/v1/provider-accounts/${accountId})`,
    };
  }

  /** A Temporal that hangs must not hold the relay's rows for long. */
  private bounded<Result>(call: () => Promise<Result>): Promise<Result> {
    return this.client.withDeadline(Date.now() + DEADLINE_MS, call);
  }
}
