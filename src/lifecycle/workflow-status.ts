// What a conversation's workflow is told of where it stands: enumerations and times only. Pure.
import type { ConversationRecord } from '../reducer/record.js';
import type { Part } from '../providers/provider-fact.js';
import type { Situation } from './conversation-snapshot.js';

/** Shown in the Temporal UI and used by the workflow: enumerations and times only. */
export interface ConversationView {
  phase: 'live' | 'settling' | 'settled' | 'gone';
  revision: number;
  /** Until the watchdog should ask, and between two questions. */
  askInMs: number;
  askEveryMs: number;
  waitingFor: string | null;
  /** How often in a row the provider has not known it, each time one `ask_every` apart. */
  refusals: number;
  completeness: Record<Part, { state: string; reason: string | null; dueAt: string | null }>;
  /** The recording is declared absent, and none is offered. Only when true, so that views of former versions say the same. */
  hasNoRecording?: true;
}

const DAY_S = 86_400;

export const GONE: ConversationView = {
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

/** The situation as the workflow sees it at `now` (epoch ms). */
export function viewOf({ record, account, revision }: Situation, now: number): ConversationView {
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

/** A chat may be silent for a day; an explicit setting holds for both. */
const silenceOf = ({ channel }: ConversationRecord, setting: number | null): number =>
  setting ?? (channel === 'phone' || channel === 'web_call' || channel === 'other' ? 900 : DAY_S);

/** When the provider is to be asked, epoch milliseconds. */
const silentFrom = ({ record, account }: Pick<Situation, 'record' | 'account'>): number =>
  record.lastFactAt + silenceOf(record, account.deadlines.silence) * 1000;

/** Clocks of Temporal and of this process may differ a little. */
const SLACK_MS = 250;
export const isSilent = (situation: Situation, now: number): boolean => silentFrom(situation) <= now + SLACK_MS;

function completenessOf(record: ConversationRecord): ConversationView['completeness'] {
  const shown = Object.entries(record.completeness).map(([part, { state, reason, dueAt }]) => [
    part,
    { state, reason, dueAt: dueAt === null ? null : new Date(dueAt).toISOString() },
  ]);
  return Object.fromEntries(shown) as ConversationView['completeness'];
}
