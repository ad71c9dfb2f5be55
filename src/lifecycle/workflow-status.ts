// Snapshot → the status that a conversation's workflow sees: enumerations and times only. Pure.
import type { ConversationRecord } from '../reducer/record.js';
import type { WorkflowStatus } from '../../workflows/conversation-status.js';
import type { ConversationSnapshot } from './conversation-snapshot.js';

const DAY_S = 86_400;

export const GONE: WorkflowStatus = {
  phase: 'gone',
  revision: 0,
  askInMs: 0,
  askEveryMs: 0,
  waitingFor: null,
  refusals: 0,
  completeness: {
    transcript: { state: 'absent', reason: null, dueAt: null },
    audio: { state: 'absent', reason: null, dueAt: null },
    analysis: { state: 'absent', reason: null, dueAt: null },
  },
};

/** The snapshot as the workflow sees it at `now` (epoch ms). */
export function workflowStatusOf({ record, account, revision }: ConversationSnapshot, now: number): WorkflowStatus {
  return {
    phase: record.recordState === 'open' ? 'live' : record.recordState,
    revision,
    askInMs: Math.max(250, silentFrom({ record, account }) - now),
    askEveryMs: account.deadlines.ask_every * 1000,
    waitingFor: record.recordState === 'open' ? 'its end' : null,
    refusals: 0,
    completeness: completenessOf(record),
    ...(record.completeness.audio.state === 'absent' && record.fetchable.length === 0 && { hasNoRecording: true }),
  };
}

/** Seconds. Default: 15 minutes for calls, a day for chats; an explicit setting applies to both. */
const silenceOf = ({ channel }: ConversationRecord, setting: number | null): number =>
  setting ?? (channel === 'phone' || channel === 'web_call' || channel === 'other' ? 900 : DAY_S);

/** When to ask the provider, epoch milliseconds. */
const silentFrom = ({ record, account }: Pick<ConversationSnapshot, 'record' | 'account'>): number =>
  record.lastFactAt + silenceOf(record, account.deadlines.silence) * 1000;

/** Temporal's clock and this process's clock may differ a little. */
const SLACK_MS = 250;
export const isSilent = (snapshot: ConversationSnapshot, now: number): boolean =>
  silentFrom(snapshot) <= now + SLACK_MS;

function completenessOf(record: ConversationRecord): WorkflowStatus['completeness'] {
  const shown = Object.entries(record.completeness).map(([part, { state, reason, dueAt }]) => [
    part,
    { state, reason, dueAt: dueAt === null ? null : new Date(dueAt).toISOString() },
  ]);
  return Object.fromEntries(shown) as WorkflowStatus['completeness'];
}
