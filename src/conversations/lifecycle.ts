// What a conversation's workflow does to the world: look, ask, fetch. It answers by appending facts, never by writing the record.
import type { Part } from '../providers/provider-fact.js';
import type { ConversationRecord } from '../intake/record.js';
import type { FactWriter, Standing } from '../intake/fact-writer.js';
import type { ProviderGateway } from '../providers/gateway/gateway.js';
import { ProviderError } from '../providers/provider.js';
import { NotYet, nextTry } from './not-yet.js';
import { situationAfter, type Situation } from './situation.js';

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
  gateway: ProviderGateway;
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
    const lost = (evidence: string): Promise<Standing | null> =>
      this.deps.facts.state(situation, { kind: 'lost', evidence });
    if (situation.account.isDeleted) return this.viewAfter(situation, await lost(NOBODY_TO_ASK));
    const answer = await this.deps.gateway.fetchRecord(situation.account, situation);
    const told = answer.found
      ? await this.deps.facts.record(situation, answer.document)
      : await lost('provider_does_not_know_it');
    const view = await this.viewAfter(situation, told);
    return { ...view, askInMs: view.askEveryMs };
  }

  private async viewAfter(situation: Situation, told: Standing | null): Promise<ConversationView> {
    const after = await this.after(situation, told);
    return after === null ? GONE : viewOf(after, this.deps.now());
  }

  /** One round of settling the record; throws NotYet while something is waited for. */
  async fetchRecord(conversationId: string, attempt: number): Promise<ConversationView> {
    const before = await this.deps.read(conversationId);
    if (before === null) return GONE;
    const after = isRecordSettled(before) ? before : await this.fetchOnce(before);
    if (after === null) return GONE;
    const now = this.deps.now();
    if (isRecordSettled(after)) return viewOf(after, now);
    await this.declareOverdue(after, now);
    const last = await this.deps.read(conversationId);
    if (last === null) return GONE;
    if (isRecordSettled(last)) return viewOf(last, now);
    throw new NotYet(waitedFor(last).join(', ') || 'the record', nextTry(attempt, nextDeadline(last), now));
  }

  /** Where it stands after the provider was asked. */
  private async fetchOnce(situation: Situation): Promise<Situation | null> {
    const { facts, gateway } = this.deps;
    const without = (reason: string): Promise<Standing | null> =>
      facts.state(situation, { kind: 'record_unavailable', reason });
    if (situation.account.isDeleted) return this.after(situation, await without(NOBODY_TO_ASK));
    const answer = await gateway.fetchRecord(situation.account, situation).catch((error: unknown) => {
      // A provider that is away, or refuses our credentials, may be right again before the deadline.
      if (error instanceof ProviderError) return null;
      throw error;
    });
    if (answer === null) return this.deps.read(situation.conversationId);
    const told = answer.found
      ? await facts.record(situation, answer.document)
      : await without('provider_does_not_know_it');
    return this.after(situation, told);
  }

  /** Where it stands after a fact was said; read anew where that was not answered. */
  private async after(situation: Situation, told: Standing | null): Promise<Situation | null> {
    return told === null ? this.deps.read(situation.conversationId) : situationAfter(situation, told);
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
