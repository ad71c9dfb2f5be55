// One look at what is live at a provider that does not tell. A schedule starts it every few seconds: 11 events a run.
import { proxyActivities } from '@temporalio/workflow';
import type { PollView, ReconciliationActivities } from '../activities/reconciliation.activities.js';
import { POLL } from './activity-options.js';
import type { AccountInput } from './messages.js';

const { pollLive } = proxyActivities<ReconciliationActivities>({ ...POLL, summary: 'What is live now' });

export const poll = ({ accountId }: AccountInput): Promise<PollView> => pollLive(accountId);
