// What a conversation's workflow does to the world: look, ask, fetch. It answers by appending facts, never by writing the record.
import type { Part } from '../providers/provider-fact.js';
import type { ConversationRecord } from '../intake/record.js';
import type { FactWriter } from '../intake/fact-writer.js';
import type { ProviderAnswer } from '../providers/provider.js';
import { ProviderError } from '../providers/provider.js';
import { providerNamed } from '../providers/providers.js';
import { NotYet, nextTry } from './not-yet.js';
import type { Situation } from './situation.js';

/** Shown in the Temporal UI and used by the workflow: enumerations and times only. */
export interface ConversationView {
  phase: 'live' | 'settling' | 'settled' | 'gone';
  revision: number;
  /** Until the watchdog should ask, and between two questions. */
  askInMs: number;
  askEveryMs: number;
  waitingFor: string | null;
  completeness: Record<Part, { state: string; reason: string | null; dueAt: string | null }>;
}

const DAY_S = 86_400;
/** A deleted account has no credentials any more. */
const NOBODY_TO_ASK = 'provider_account_deleted';
const RECORD_PARTS: Part[] = ['transcript', 'analysis'];

export interface LifecycleDependencies {
  read(conversationId: string): Promise<Situation | null>;
  facts: FactWriter;
  now(): number;
}

export class Lifecycle {
  constructor(private readonly deps: LifecycleDependencies) {}

  async look(conversationId: string): Promise<ConversationView> {
    const situation = await this.deps.read(conversationId);
    return situation === null ? GONE : viewOf(situation, this.deps.now());
  }

  /** One question to the provider, if it is still silent. Throws ProviderError when it cannot or will not answer. */
  async askProvider(conversationId: string): Promise<ConversationView> {
    const situation = await this.deps.read(conversationId);
    if (situation === null) return GONE;
    const now = this.deps.now();
    // Turns and the like do not wake the workflow: it learns here that somebody spoke meanwhile.
    if (situation.record.recordState !== 'open' || !isSilent(situation, now)) return viewOf(situation, now);
    if (situation.account.isDeleted) {
      await this.deps.facts.state(situation, { kind: 'lost', evidence: NOBODY_TO_ASK });
      return this.look(conversationId);
    }
    const answer = await askOf(situation);
    if (answer.found) await this.deps.facts.record(situation, answer.document);
    else await this.deps.facts.state(situation, { kind: 'lost', evidence: 'provider_does_not_know_it' });
    const view = await this.look(conversationId);
    return { ...view, askInMs: view.askEveryMs };
  }

  /** One round of settling the record; throws NotYet while something is waited for. */
  async fetchRecord(conversationId: string, attempt: number): Promise<ConversationView> {
    const before = await this.deps.read(conversationId);
    if (before === null) return GONE;
    if (!isRecordSettled(before)) await this.fetchOnce(before);
    const after = await this.deps.read(conversationId);
    if (after === null) return GONE;
    const now = this.deps.now();
    if (isRecordSettled(after)) return viewOf(after, now);
    await this.declareOverdue(after, now);
    const last = await this.deps.read(conversationId);
    if (last === null) return GONE;
    if (isRecordSettled(last)) return viewOf(last, now);
    throw new NotYet(waitedFor(last).join(', ') || 'the record', nextTry(attempt, nextDeadline(last), now));
  }

  private async fetchOnce(situation: Situation): Promise<void> {
    if (situation.account.isDeleted) {
      await this.deps.facts.state(situation, { kind: 'record_unavailable', reason: NOBODY_TO_ASK });
      return;
    }
    try {
      const answer = await askOf(situation);
      if (answer.found) await this.deps.facts.record(situation, answer.document);
      else await this.deps.facts.state(situation, { kind: 'record_unavailable', reason: 'provider_does_not_know_it' });
    } catch (error) {
      // A provider that is away, or refuses our credentials, may be right again before the deadline.
      if (!(error instanceof ProviderError)) throw error;
    }
  }

  private async declareOverdue(situation: Situation, now: number): Promise<void> {
    for (const part of RECORD_PARTS) {
      const { state, dueAt } = situation.record.completeness[part];
      if (state === 'pending' && dueAt !== null && dueAt <= now) {
        await this.deps.facts.state(situation, { kind: 'part_absent', part, reason: 'deadline' });
      }
    }
    if (!situation.isConfirmed && recordDeadline(situation) <= now) {
      await this.deps.facts.state(situation, { kind: 'record_unavailable', reason: 'deadline' });
    }
  }
}

const GONE: ConversationView = {
  phase: 'gone',
  revision: 0,
  askInMs: 0,
  askEveryMs: 0,
  waitingFor: null,
  completeness: {
    transcript: { state: 'absent', reason: null, dueAt: null },
    audio: { state: 'absent', reason: null, dueAt: null },
    analysis: { state: 'absent', reason: null, dueAt: null },
  },
};

/** The provider's record of a conversation. */
export const askOf = ({ account, providerKind, providerId }: Situation): Promise<ProviderAnswer> =>
  providerNamed(account.provider).fetchRecord(account.credentials, { providerKind, providerId });

/** The situation as the workflow sees it at `now` (epoch ms). */
export function viewOf({ record, account, revision }: Situation, now: number): ConversationView {
  return {
    phase: record.recordState === 'open' ? 'live' : record.recordState,
    revision,
    askInMs: Math.max(250, silentFrom({ record, account }) - now),
    askEveryMs: account.deadlines.ask_every * 1000,
    waitingFor: record.recordState === 'open' ? 'its end' : null,
    completeness: completenessOf(record),
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
const isSilent = (situation: Situation, now: number): boolean => silentFrom(situation) <= now + SLACK_MS;

function completenessOf(record: ConversationRecord): ConversationView['completeness'] {
  const shown = Object.entries(record.completeness).map(([part, { state, reason, dueAt }]) => [
    part,
    { state, reason, dueAt: dueAt === null ? null : new Date(dueAt).toISOString() },
  ]);
  return Object.fromEntries(shown) as ConversationView['completeness'];
}

const waitedFor = ({ record }: Situation): Part[] =>
  RECORD_PARTS.filter((part) => record.completeness[part].state === 'pending');

const isRecordSettled = (situation: Situation): boolean => situation.isConfirmed && waitedFor(situation).length === 0;

/** How long the provider's own record is waited for: as long as the transcript that it holds. */
const recordDeadline = ({ endSeenAt, account }: Situation): number =>
  (endSeenAt ?? 0) + account.deadlines.transcript * 1000;

function nextDeadline(situation: Situation): number {
  const due = waitedFor(situation).flatMap((part) => situation.record.completeness[part].dueAt ?? []);
  return Math.min(...due, ...(situation.isConfirmed ? [] : [recordDeadline(situation)]));
}
