// What a conversation's workflow does to the world: look, ask, fetch. It answers by appending facts, never by writing the record.
import type { Part } from '../providers/provider-fact.js';
import type { FactWriter, Standing } from '../intake/fact-writer.js';
import type { ProviderGateway } from '../providers/gateway/gateway.js';
import { ProviderError } from '../providers/provider.js';
import { NotYet } from './retry-later.js';
import { situationAfter, type Situation } from './conversation-snapshot.js';
import { nextTry } from './waiting-ladder.js';
import { GONE, isSilent, viewOf, type ConversationView } from './workflow-status.js';

/** A deleted account has no credentials any more. */
const NOBODY_TO_ASK = 'provider_account_deleted';
/** It answered 404, twice, and its account answers. */
const UNKNOWN_THERE = 'provider_does_not_know_it';
/** What is asked for within this time may be repeated at once, milliseconds. */
const SOON_MS = 5_000;
/** So much later than asked for, by chance. */
const ASK_JITTER = 0.1;
const RECORD_PARTS: Part[] = ['transcript', 'analysis'];

export interface LifecycleDependencies {
  read(conversationId: string): Promise<Situation | null>;
  facts: FactWriter;
  gateway: ProviderGateway;
  now(): number;
}

interface Fetched {
  situation: Situation | null;
  awayMs: number;
}

export class Lifecycle {
  constructor(private readonly deps: LifecycleDependencies) {}

  async look(conversationId: string): Promise<ConversationView> {
    const situation = await this.deps.read(conversationId);
    return situation === null ? GONE : viewOf(situation, this.deps.now());
  }

  /**
   * One question to the provider, if it is still silent. Where it does not know the conversation for the second time in a
   * row (`refusals` before this one) and its account answers, the conversation is lost. Throws ProviderError when the
   * provider cannot or will not answer.
   */
  async askProvider(conversationId: string, refusals = 0): Promise<ConversationView> {
    const situation = await this.deps.read(conversationId);
    if (situation === null) return GONE;
    const now = this.deps.now();
    // Turns and the like do not wake the workflow: it learns here that somebody spoke meanwhile.
    if (situation.record.recordState !== 'open' || !isSilent(situation, now)) return viewOf(situation, now);
    const lost = (evidence: string): Promise<Standing | null> =>
      this.deps.facts.state(situation, { kind: 'lost', evidence });
    if (situation.account.isDeleted) return this.viewAfter(situation, await lost(NOBODY_TO_ASK));
    const { facts, gateway } = this.deps;
    const answer = await gateway.fetchRecord(situation.account, situation).catch(longAway);
    if (answer instanceof ProviderError) {
      const waitingFor = `${answer.message}; asking again later`;
      const view = askedAgain({ ...viewOf(situation, now), waitingFor, refusals });
      return { ...view, askInMs: Math.max(view.askInMs, answer.retryAfterMs ?? 0) };
    }
    if (!answer.found) {
      const waitingFor = await this.doubtOf(situation, refusals);
      if (waitingFor !== null) return askedAgain({ ...viewOf(situation, now), waitingFor, refusals: refusals + 1 });
    }
    const told = answer.found ? await facts.record(situation, answer.document) : await lost(UNKNOWN_THERE);
    return askedAgain(await this.viewAfter(situation, told));
  }

  /** Why a 404 does not end the conversation yet; null: it does. */
  private async doubtOf({ account, providerKind }: Situation, refusals: number): Promise<string | null> {
    if (refusals === 0) return 'the provider does not know it; asking once more';
    const problem = await this.deps.gateway.witness(account, providerKind);
    return problem && `the provider does not know it, and its account does not answer (${problem}); asking again later`;
  }

  private async viewAfter(situation: Situation, told: Standing | null): Promise<ConversationView> {
    const after = await this.after(situation, told);
    return after === null ? GONE : viewOf(after, this.deps.now());
  }

  /** One round of settling the record; throws NotYet while something is waited for. */
  async fetchRecord(conversationId: string, attempt: number): Promise<ConversationView> {
    const before = await this.deps.read(conversationId);
    if (before === null) return GONE;
    const { situation: after, awayMs } = isRecordSettled(before)
      ? { situation: before, awayMs: 0 }
      : await this.fetchOnce(before, attempt);
    if (after === null) return GONE;
    const now = this.deps.now();
    if (isRecordSettled(after)) return viewOf(after, now);
    await this.declareOverdue(after, now);
    const last = await this.deps.read(conversationId);
    if (last === null) return GONE;
    if (isRecordSettled(last)) return viewOf(last, now);
    throw new NotYet(
      waitedFor(last).join(', ') || 'the record',
      nextTry({ ...waitOf(last), tries: attempt, now, awayMs }),
    );
  }

  /** Where it stands after the provider was asked, and for how long that one wants us to stay away. */
  private async fetchOnce(situation: Situation, attempt: number): Promise<Fetched> {
    const { facts, gateway } = this.deps;
    const without = async (reason: string): Promise<Fetched> => {
      const told = await facts.state(situation, { kind: 'record_unavailable', reason });
      return { situation: await this.after(situation, told), awayMs: 0 };
    };
    const asItStands = async (awayMs = 0): Promise<Fetched> => ({
      situation: await this.deps.read(situation.conversationId),
      awayMs,
    });
    const { account, providerKind } = situation;
    if (account.isDeleted) return without(NOBODY_TO_ASK);
    try {
      const answer = await gateway.fetchRecord(account, situation);
      if (answer.found)
        return { situation: await this.after(situation, await facts.record(situation, answer.document)), awayMs: 0 };
      // Right after the end a record may be on its way; and an account that answers nothing knows nothing.
      if (attempt === 1 || (await gateway.witness(account, providerKind)) !== null) return await asItStands();
      return await without(UNKNOWN_THERE);
    } catch (error) {
      // A provider that is away, or refuses our credentials, may be right again before the deadline.
      if (!(error instanceof ProviderError)) throw error;
      return asItStands(error.retryAfterMs ?? 0);
    }
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

const waitedFor = ({ record }: Situation): Part[] =>
  RECORD_PARTS.filter((part) => record.completeness[part].state === 'pending');

const isRecordSettled = (situation: Situation): boolean => situation.isConfirmed && waitedFor(situation).length === 0;

/** How long the provider's own record is waited for: as long as the transcript that it holds. */
const recordDeadline = ({ endSeenAt, account }: Situation): number =>
  (endSeenAt ?? 0) + account.deadlines.transcript * 1000;

/** The wait for what comes first of what is still wanting. */
function waitOf(situation: Situation): { startedAt: number; dueAt: number } {
  const due = waitedFor(situation).flatMap((part) => situation.record.completeness[part].dueAt ?? []);
  const dueAt = Math.min(...due, ...(situation.isConfirmed ? [] : [recordDeadline(situation)]));
  return { startedAt: situation.endSeenAt ?? 0, dueAt };
}

/** A provider that wants us to stay away for long is not asked again now; anything else is thrown. */
function longAway(error: unknown): ProviderError {
  if (error instanceof ProviderError && (error.retryAfterMs ?? 0) > SOON_MS) return error;
  throw error;
}

/** Not all at the same moment: outages make many silent at once. */
const askedAgain = (view: ConversationView): ConversationView => ({
  ...view,
  askInMs: Math.round(view.askEveryMs * (1 + ASK_JITTER * Math.random())),
});
