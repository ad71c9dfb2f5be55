// The side effects of a conversation's workflow: read its state, ask the provider, fetch its record. Results are facts; the
// record itself is written by intake alone.
import { Injectable } from '@nestjs/common';
import type { Part } from '../providers/provider-fact.js';
import { FactWriter } from '../intake/fact-writer.js';
import type { StateAtRevision } from '../reducer/conversation-state.js';
import { ProviderGateway } from '../providers/gateway/gateway.js';
import { ProviderError } from '../providers/provider.js';
import { RetryLater } from './retry-later.js';
import { SnapshotReader, snapshotAfter, type ConversationSnapshot } from './conversation-snapshot.js';
import { Clock } from '../common/clock.js';
import { nextTryMs } from './retry-schedule.js';
import type { WorkflowStatus } from '../../workflows/conversation-status.js';
import { GONE, isSilent, workflowStatusOf } from './workflow-status.js';

/** Evidence: a deleted account has no credentials, so nobody can be asked. */
const NOBODY_TO_ASK = 'provider_account_deleted';
/** Evidence: the provider answered 404 twice, and answers other requests of the account. */
const UNKNOWN_THERE = 'provider_does_not_know_it';
/** A shorter `Retry-After` is left to Temporal's own retry of the activity, milliseconds. */
const SOON_MS = 5_000;
/** The next question is up to this share later than `ask_every`, at random. */
const ASK_JITTER = 0.1;
const RECORD_PARTS: Part[] = ['transcript', 'analysis'];

interface FetchResult {
  snapshot: ConversationSnapshot | null;
  /** `Retry-After`, milliseconds; 0 if the provider named none. */
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
   * Asks the provider once, if the conversation is still silent. If it does not know the conversation for the second time in
   * a row (`refusals` counts earlier ones) and its account does answer, the conversation is lost. Throws ProviderError when
   * the provider cannot or will not answer.
   */
  async askProvider(conversationId: string, refusals = 0): Promise<WorkflowStatus> {
    const snapshot = await this.snapshots.read(conversationId);
    if (snapshot === null) return GONE;
    const now = this.clock.now();
    // Facts such as turns do not signal the workflow: here it learns that the conversation was active meanwhile.
    if (snapshot.record.recordState !== 'open' || !isSilent(snapshot, now)) return workflowStatusOf(snapshot, now);
    const reportLost = (evidence: string): Promise<StateAtRevision | null> =>
      this.facts.report(snapshot, { kind: 'lost', evidence });
    if (snapshot.account.isDeleted) return this.statusAfter(snapshot, await reportLost(NOBODY_TO_ASK));
    const { facts, gateway } = this;
    const answer = await gateway.fetchRecord(snapshot.account, snapshot).catch(errorIfAwayForLong);
    if (answer instanceof ProviderError) {
      const waitingFor = `${answer.message}; asking again later`;
      const status = withNextQuestion({ ...workflowStatusOf(snapshot, now), waitingFor, refusals });
      return { ...status, askInMs: Math.max(status.askInMs, answer.retryAfterMs ?? 0) };
    }
    if (!answer.found) {
      const waitingFor = await this.reasonToAskAgain(snapshot, refusals);
      if (waitingFor !== null)
        return withNextQuestion({ ...workflowStatusOf(snapshot, now), waitingFor, refusals: refusals + 1 });
    }
    const applied = answer.found ? await facts.record(snapshot, answer.document) : await reportLost(UNKNOWN_THERE);
    return withNextQuestion(await this.statusAfter(snapshot, applied));
  }

  /** Why a 404 does not end the conversation yet; null: it does. */
  private async reasonToAskAgain(
    { account, providerKind }: ConversationSnapshot,
    refusals: number,
  ): Promise<string | null> {
    if (refusals === 0) return 'the provider does not know it; asking once more';
    const problem = await this.gateway.probe(account, providerKind);
    return problem && `the provider does not know it, and its account does not answer (${problem}); asking again later`;
  }

  private async statusAfter(snapshot: ConversationSnapshot, applied: StateAtRevision | null): Promise<WorkflowStatus> {
    const after = await this.after(snapshot, applied);
    return after === null ? GONE : workflowStatusOf(after, this.clock.now());
  }

  /** One round of settling the record. Throws RetryLater while a part is pending before its deadline. */
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
      pendingParts(last).join(', ') || 'the record',
      nextTryMs({ ...waitOf(last), tries: attempt, now, awayMs }),
    );
  }

  /** Asks the provider for the record once, and reports the result as a fact. */
  private async fetchOnce(snapshot: ConversationSnapshot, attempt: number): Promise<FetchResult> {
    const { facts, gateway } = this;
    const unavailable = async (reason: string): Promise<FetchResult> => {
      const applied = await facts.report(snapshot, { kind: 'record_unavailable', reason });
      return { snapshot: await this.after(snapshot, applied), awayMs: 0 };
    };
    const unchanged = async (awayMs = 0): Promise<FetchResult> => ({
      snapshot: await this.snapshots.read(snapshot.conversationId),
      awayMs,
    });
    const { account, providerKind } = snapshot;
    if (account.isDeleted) return unavailable(NOBODY_TO_ASK);
    try {
      const answer = await gateway.fetchRecord(account, snapshot);
      if (answer.found)
        return { snapshot: await this.after(snapshot, await facts.record(snapshot, answer.document)), awayMs: 0 };
      // Right after the end the record may not be there yet; and a 404 proves nothing while the whole account fails.
      if (attempt === 1 || (await gateway.probe(account, providerKind)) !== null) return await unchanged();
      return await unavailable(UNKNOWN_THERE);
    } catch (error) {
      // A provider that is unavailable, or refuses our credentials, may recover before the deadline.
      if (!(error instanceof ProviderError)) throw error;
      return unchanged(error.retryAfterMs ?? 0);
    }
  }

  /** The snapshot after a fact was reported. `applied` null: it was not applied at once, so the snapshot is read again. */
  private async after(
    snapshot: ConversationSnapshot,
    applied: StateAtRevision | null,
  ): Promise<ConversationSnapshot | null> {
    return applied === null ? this.snapshots.read(snapshot.conversationId) : snapshotAfter(snapshot, applied);
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

const pendingParts = ({ record }: ConversationSnapshot): Part[] =>
  RECORD_PARTS.filter((part) => record.completeness[part].state === 'pending');

const isRecordSettled = (snapshot: ConversationSnapshot): boolean =>
  snapshot.isConfirmed && pendingParts(snapshot).length === 0;

/** Deadline of the provider's own record, epoch milliseconds: that of the transcript, which the record contains. */
const recordDeadline = ({ endSeenAt, account }: ConversationSnapshot): number =>
  (endSeenAt ?? 0) + account.deadlines.transcript * 1000;

/** Start and end of the wait for the pending part that is due first. */
function waitOf(snapshot: ConversationSnapshot): { startedAt: number; dueAt: number } {
  const due = pendingParts(snapshot).flatMap((part) => snapshot.record.completeness[part].dueAt ?? []);
  const dueAt = Math.min(...due, ...(snapshot.isConfirmed ? [] : [recordDeadline(snapshot)]));
  return { startedAt: snapshot.endSeenAt ?? 0, dueAt };
}

/** Returns the error of a provider that named a long `Retry-After`; throws any other, so that Temporal retries soon. */
function errorIfAwayForLong(error: unknown): ProviderError {
  if (error instanceof ProviderError && (error.retryAfterMs ?? 0) > SOON_MS) return error;
  throw error;
}

/** With jitter: an outage makes many conversations silent at once, and they must not all ask at the same moment. */
const withNextQuestion = (status: WorkflowStatus): WorkflowStatus => ({
  ...status,
  askInMs: Math.round(status.askEveryMs * (1 + ASK_JITTER * Math.random())),
});
