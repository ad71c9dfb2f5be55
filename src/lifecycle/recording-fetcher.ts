// Fetches a conversation's recordings before their links expire, or declares them absent with a reason.
import { Injectable } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { FactWriter } from '../intake/fact-writer.js';
import { ProviderGateway } from '../providers/gateway/gateway.js';
import { Lifecycle } from './conversation-lifecycle.js';
import { RetryLater } from './retry-later.js';
import { SnapshotReader, snapshotAfter, type ConversationSnapshot } from './conversation-snapshot.js';
import type { WorkflowStatus } from '../../workflows/conversation-status.js';
import { workflowStatusOf } from './workflow-status.js';
import type { StateAtRevision } from '../reducer/conversation-state.js';
import type { StoredRecording } from '../reducer/fact.js';
import type { RecordingSource, RecordingVariant } from '../providers/provider-fact.js';
import { NO_WAIT, NoFreeSlot } from '../providers/gateway/retry-policy.js';
import { ProviderError } from '../providers/provider.js';
import { VaultService } from '../vault/vault.service.js';
import { downloadRecording } from '../recordings/recording-download.js';
import { RecordingStore } from '../recordings/recording-store.js';
import { verdictOf } from './recording-verdict.js';

/** What an attempt must know about earlier ones. Temporal stores it, so it holds numbers only. */
export interface FetchProgress {
  /** Rounds in which the provider was asked and gave no recording. Failures of our own store do not count. */
  tries: number;
  /** When to ask the provider again, epoch milliseconds. */
  askAt: number;
  /** How many variants it offered at that time: a new one is tried at once. */
  offered: number;
}

interface Attempt {
  /** Null: this is the first attempt. */
  progress: FetchProgress | null;
  signal: AbortSignal;
}

interface FetchResult {
  /** Variants that the provider did not deliver, with the reason. */
  refused: { variant: RecordingVariant; source: string; reason: string }[];
  /** State after the last stored recording; null: none was stored, or the fact is not applied yet. */
  stateAfter: StateAtRevision | null;
  /** `Retry-After`, milliseconds; 0 if the provider named none. */
  awayMs: number;
}

/** From this try on the record is requested again for a missing link; until then the parallel fetch of the record brings it. */
const ASK_FROM_TRY = 4;
/** A link may have expired: every so many tries a new one is requested. */
const RENEW_EVERY = 5;
/** Interval at which links from webhooks are looked for, milliseconds: some expire after ten minutes. Costs no request. */
const LOOK_EVERY_MS = 300_000;
const NOTHING_TRIED: FetchProgress = { tries: 0, askAt: 0, offered: 0 };

@Injectable()
export class RecordingFetcher {
  constructor(
    private readonly lifecycle: Lifecycle,
    private readonly snapshots: SnapshotReader,
    private readonly facts: FactWriter,
    private readonly gateway: ProviderGateway,
    private readonly store: RecordingStore,
    private readonly vault: VaultService,
    private readonly clock: Clock,
  ) {}

  /** One round: stores what can be fetched. Throws RetryLater while a recording may still come. */
  async fetch(conversationId: string, { progress: earlier, signal }: Attempt): Promise<WorkflowStatus> {
    const progress = earlier ?? NOTHING_TRIED;
    const found = await this.snapshots.read(conversationId);
    if (found === null) return this.lifecycle.look(conversationId);
    const tries = triesBy(found, progress, this.clock.now());
    if (tries === null) throw this.retryLater('the recording', progress);
    const { before, ...asked } = await this.withLink(found, tries);
    if (before === null) return this.lifecycle.look(conversationId);
    const { refused, stateAfter, ...fetched } = await this.fetchAll(before, { progress: earlier, signal });
    // The state after the last stored recording saves a read; after a failed try, which may have taken long, it is read again.
    const isCurrent = stateAfter !== null && refused.length === 0;
    const after = isCurrent ? snapshotAfter(before, stateAfter) : await this.snapshots.read(conversationId);
    if (after === null) return this.lifecycle.look(conversationId);
    const now = this.clock.now();
    const awayMs = Math.max(asked.awayMs, fetched.awayMs);
    const verdict = verdictOf(after, { refused: refused.length, tries, awayMs, now });
    if (verdict.kind === 'done') return workflowStatusOf(after, now);
    if (verdict.kind === 'give_up') return this.giveUp(after, refused);
    const askAt = Math.ceil(now + verdict.retryInMs);
    throw this.retryLater(verdict.what, { tries, askAt, offered: after.record.fetchable.length });
  }

  private retryLater(what: string, progress: FetchProgress): RetryLater {
    return new RetryLater(what, Math.max(250, Math.min(LOOK_EVERY_MS, progress.askAt - this.clock.now())), progress);
  }

  /** Reports refused variants as unavailable, and the audio as absent if no recording is stored. */
  private async giveUp(snapshot: ConversationSnapshot, refused: FetchResult['refused']): Promise<WorkflowStatus> {
    const { facts, lifecycle } = this;
    if (snapshot.record.completeness.audio.state === 'pending') {
      const reason = refused.at(-1)?.reason ?? 'deadline';
      await facts.report(snapshot, { kind: 'part_absent', part: 'audio', reason });
    }
    for (const one of refused) await facts.report(snapshot, { kind: 'recording_unavailable', ...one });
    return lifecycle.look(snapshot.conversationId);
  }

  /** Stores every offered variant that we lack; collects those that the provider refused. */
  private async fetchAll(snapshot: ConversationSnapshot, { progress, signal }: Attempt): Promise<FetchResult> {
    const refused: FetchResult['refused'] = [];
    let stateAfter: StateAtRevision | null = null;
    let awayMs = 0;
    for (const variant of snapshot.record.fetchable as RecordingVariant[]) {
      const source = snapshot.sources[variant];
      if (source === undefined) continue;
      try {
        stateAfter = await this.fetchOne(snapshot, { variant, source }, signal);
      } catch (error) {
        // Cut off because the worker stops: this says nothing about the recording.
        if (!(error instanceof ProviderError) || signal.aborted) throw error;
        // No request was sent, so this does not count as a try.
        if (error instanceof NoFreeSlot)
          throw new RetryLater('a free download slot of the account', error.retryAfterMs ?? LOOK_EVERY_MS, progress);
        refused.push({ variant, source, reason: error.problem });
        awayMs = Math.max(awayMs, error.retryAfterMs ?? 0);
      }
    }
    return { refused, stateAfter, awayMs };
  }

  private async fetchOne(
    snapshot: ConversationSnapshot,
    { variant, source }: RecordingSource,
    signal: AbortSignal,
  ): Promise<StateAtRevision | null> {
    const keys = await this.vault.existingConversationKeys(snapshot.conversationId, ['audio']);
    const key = keys.get('audio');
    const { durationMs } = snapshot.record;
    // Does not wait for a download slot of the account: that would occupy a slot of the worker.
    const wanted = { ...snapshot, variant, source, durationMs, key, signal, retry: NO_WAIT };
    const recording = await downloadRecording({ gateway: this.gateway, store: this.store }, wanted);
    const stateAfter = await this.facts.report(snapshot, { kind: 'recording_stored', recording });
    // The record already references another copy (from a webhook or another attempt): ours is superfluous. A fact that is not
    // applied yet (null) may still win, so its object stays.
    const isSuperfluous = stateAfter !== null && !isReferenced(snapshotAfter(snapshot, stateAfter), recording);
    if (isSuperfluous) await this.store.remove(recording.object_key);
    return stateAfter;
  }

  /** The snapshot; the record is requested again first if the link is overdue, may have expired, or the deadline has come. */
  private async withLink(
    before: ConversationSnapshot,
    tries: number,
  ): Promise<{ before: ConversationSnapshot | null; awayMs: number }> {
    const { state, dueAt } = before.record.completeness.audio;
    const isLast = dueAt !== null && dueAt <= this.clock.now();
    const isAsked = tries >= ASK_FROM_TRY && (before.record.fetchable.length === 0 || tries % RENEW_EVERY === 0);
    if (state !== 'pending' || !(isLast || isAsked)) return { before, awayMs: 0 };
    let awayMs = 0;
    try {
      const answer = await this.gateway.fetchRecord(before.account, before);
      if (answer.found) await this.facts.record(before, answer.document);
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error;
      awayMs = error.retryAfterMs ?? 0;
    }
    return { before: await this.snapshots.read(before.conversationId), awayMs };
  }
}

/** The number of the try that is due now, from 1; null: none is due and nothing has changed. A new link starts again at 1. */
function triesBy(
  { record }: ConversationSnapshot,
  { tries, askAt, offered }: FetchProgress,
  now: number,
): number | null {
  const { fetchable, completeness } = record;
  if (fetchable.length > offered && tries > 0) return 1;
  const isOver = completeness.audio.state !== 'pending' && fetchable.length === 0;
  return askAt <= now || isOver ? tries + 1 : null;
}

const isReferenced = ({ record }: ConversationSnapshot, { object_key: key }: StoredRecording): boolean =>
  record.recordings.some((recording) => recording.object_key === key);
