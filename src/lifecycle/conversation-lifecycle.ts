// What a conversation's workflow does to the world: look, ask, fetch. It answers by appending facts, never by writing the record.
import { Injectable } from '@nestjs/common';
import type { Part } from '../providers/provider-fact.js';
import { FactWriter } from '../intake/fact-writer.js';
import type { StateAtRevision } from '../reducer/conversation-state.js';
import { ProviderGateway } from '../providers/gateway/gateway.js';
import { ProviderError } from '../providers/provider.js';
import { RetryLater } from './retry-later.js';
import { SnapshotReader, snapshotAfter, type ConversationSnapshot } from './conversation-snapshot.js';
import { Clock } from '../common/clock.js';
import { nextTry } from './waiting-ladder.js';
import type { WorkflowStatus } from '../../workflows/conversation-status.js';
import { GONE, isSilent, workflowStatusOf } from './workflow-status.js';

/** A deleted account has no credentials any more. */
const NOBODY_TO_ASK = 'provider_account_deleted';
/** It answered 404, twice, and its account answers. */
const UNKNOWN_THERE = 'provider_does_not_know_it';
/** What is asked for within this time may be repeated at once, milliseconds. */
const SOON_MS = 5_000;
/** So much later than asked for, by chance. */
const ASK_JITTER = 0.1;
const RECORD_PARTS: Part[] = ['transcript', 'analysis'];

interface Fetched {
  snapshot: ConversationSnapshot | null;
  awayMs: number;
}

@Injectable()
export class Lifecycle {
  constructor(
    private readonly snapshots: SnapshotReader,
    private readonly facts: FactWriter,
    private readonly gateway: ProviderGateway,
    private readonly clock: Clock,
  ) {}

  async look(conversationId: string): Promise<WorkflowStatus> {
    const snapshot = await this.snapshots.read(conversationId);
    return snapshot === null ? GONE : workflowStatusOf(snapshot, this.clock.now());
  }

  /**
   * One question to the provider, if it is still silent. Where it does not know the conversation for the second time in a
   * row (`refusals` before this one) and its account answers, the conversation is lost. Throws ProviderError when the
   * provider cannot or will not answer.
   */
  async askProvider(conversationId: string, refusals = 0): Promise<WorkflowStatus> {
    const snapshot = await this.snapshots.read(conversationId);
    if (snapshot === null) return GONE;
    const now = this.clock.now();
    // Turns and the like do not wake the workflow: it learns here that somebody spoke meanwhile.
    if (snapshot.record.recordState !== 'open' || !isSilent(snapshot, now)) return workflowStatusOf(snapshot, now);
    const lost = (evidence: string): Promise<StateAtRevision | null> =>
      this.facts.report(snapshot, { kind: 'lost', evidence });
    if (snapshot.account.isDeleted) return this.statusAfter(snapshot, await lost(NOBODY_TO_ASK));
    const { facts, gateway } = this;
    const answer = await gateway.fetchRecord(snapshot.account, snapshot).catch(longAway);
    if (answer instanceof ProviderError) {
      const waitingFor = `${answer.message}; asking again later`;
      const status = askedAgain({ ...workflowStatusOf(snapshot, now), waitingFor, refusals });
      return { ...status, askInMs: Math.max(status.askInMs, answer.retryAfterMs ?? 0) };
    }
    if (!answer.found) {
      const waitingFor = await this.doubtOf(snapshot, refusals);
      if (waitingFor !== null)
        return askedAgain({ ...workflowStatusOf(snapshot, now), waitingFor, refusals: refusals + 1 });
    }
    const told = answer.found ? await facts.record(snapshot, answer.document) : await lost(UNKNOWN_THERE);
    return askedAgain(await this.statusAfter(snapshot, told));
  }

  /** Why a 404 does not end the conversation yet; null: it does. */
  private async doubtOf({ account, providerKind }: ConversationSnapshot, refusals: number): Promise<string | null> {
    if (refusals === 0) return 'the provider does not know it; asking once more';
    const problem = await this.gateway.witness(account, providerKind);
    return problem && `the provider does not know it, and its account does not answer (${problem}); asking again later`;
  }

  private async statusAfter(snapshot: ConversationSnapshot, told: StateAtRevision | null): Promise<WorkflowStatus> {
    const after = await this.after(snapshot, told);
    return after === null ? GONE : workflowStatusOf(after, this.clock.now());
  }

  /** One round of settling the record; throws RetryLater while something is waited for. */
  async fetchRecord(conversationId: string, attempt: number): Promise<WorkflowStatus> {
    const before = await this.snapshots.read(conversationId);
    if (before === null) return GONE;
    const { snapshot: after, awayMs } = isRecordSettled(before)
      ? { snapshot: before, awayMs: 0 }
      : await this.fetchOnce(before, attempt);
    if (after === null) return GONE;
    const now = this.clock.now();
    if (isRecordSettled(after)) return workflowStatusOf(after, now);
    await this.declareOverdue(after, now);
    const last = await this.snapshots.read(conversationId);
    if (last === null) return GONE;
    if (isRecordSettled(last)) return workflowStatusOf(last, now);
    throw new RetryLater(
      waitedFor(last).join(', ') || 'the record',
      nextTry({ ...waitOf(last), tries: attempt, now, awayMs }),
    );
  }

  /** Where it stands after the provider was asked, and for how long that one wants us to stay away. */
  private async fetchOnce(snapshot: ConversationSnapshot, attempt: number): Promise<Fetched> {
    const { facts, gateway } = this;
    const without = async (reason: string): Promise<Fetched> => {
      const told = await facts.report(snapshot, { kind: 'record_unavailable', reason });
      return { snapshot: await this.after(snapshot, told), awayMs: 0 };
    };
    const asItStands = async (awayMs = 0): Promise<Fetched> => ({
      snapshot: await this.snapshots.read(snapshot.conversationId),
      awayMs,
    });
    const { account, providerKind } = snapshot;
    if (account.isDeleted) return without(NOBODY_TO_ASK);
    try {
      const answer = await gateway.fetchRecord(account, snapshot);
      if (answer.found)
        return { snapshot: await this.after(snapshot, await facts.record(snapshot, answer.document)), awayMs: 0 };
      // Right after the end a record may be on its way; and an account that answers nothing knows nothing.
      if (attempt === 1 || (await gateway.witness(account, providerKind)) !== null) return await asItStands();
      return await without(UNKNOWN_THERE);
    } catch (error) {
      // A provider that is away, or refuses our credentials, may be right again before the deadline.
      if (!(error instanceof ProviderError)) throw error;
      return asItStands(error.retryAfterMs ?? 0);
    }
  }

  /** Where it stands after a fact was reported; read again where that was not answered. */
  private async after(
    snapshot: ConversationSnapshot,
    told: StateAtRevision | null,
  ): Promise<ConversationSnapshot | null> {
    return told === null ? this.snapshots.read(snapshot.conversationId) : snapshotAfter(snapshot, told);
  }

  private async declareOverdue(snapshot: ConversationSnapshot, now: number): Promise<void> {
    for (const part of RECORD_PARTS) {
      const { state, dueAt } = snapshot.record.completeness[part];
      if (state === 'pending' && dueAt !== null && dueAt <= now) {
        await this.facts.report(snapshot, { kind: 'part_absent', part, reason: 'deadline' });
      }
    }
    if (!snapshot.isConfirmed && recordDeadline(snapshot) <= now) {
      await this.facts.report(snapshot, { kind: 'record_unavailable', reason: 'deadline' });
    }
  }
}

const waitedFor = ({ record }: ConversationSnapshot): Part[] =>
  RECORD_PARTS.filter((part) => record.completeness[part].state === 'pending');

const isRecordSettled = (snapshot: ConversationSnapshot): boolean =>
  snapshot.isConfirmed && waitedFor(snapshot).length === 0;

/** How long the provider's own record is waited for: as long as the transcript that it holds. */
const recordDeadline = ({ endSeenAt, account }: ConversationSnapshot): number =>
  (endSeenAt ?? 0) + account.deadlines.transcript * 1000;

/** The wait for what comes first of what is still wanting. */
function waitOf(snapshot: ConversationSnapshot): { startedAt: number; dueAt: number } {
  const due = waitedFor(snapshot).flatMap((part) => snapshot.record.completeness[part].dueAt ?? []);
  const dueAt = Math.min(...due, ...(snapshot.isConfirmed ? [] : [recordDeadline(snapshot)]));
  return { startedAt: snapshot.endSeenAt ?? 0, dueAt };
}

/** A provider that wants us to stay away for long is not asked again now; anything else is thrown. */
function longAway(error: unknown): ProviderError {
  if (error instanceof ProviderError && (error.retryAfterMs ?? 0) > SOON_MS) return error;
  throw error;
}

/** Not all at the same moment: outages make many silent at once. */
const askedAgain = (status: WorkflowStatus): WorkflowStatus => ({
  ...status,
  askInMs: Math.round(status.askEveryMs * (1 + ASK_JITTER * Math.random())),
});
