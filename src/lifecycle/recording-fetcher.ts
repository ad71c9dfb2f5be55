// Fetches a conversation's recordings before their links die, or says why there is none.
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
import { NOW_OR_NOT, TooManyUnderWay } from '../providers/gateway/persistence.js';
import { ProviderError } from '../providers/provider.js';
import { VaultService } from '../vault/vault.service.js';
import { downloadRecording } from '../recordings/recording-download.js';
import { RecordingStore } from '../recordings/recording-store.js';
import { verdictOf } from './recording-verdict.js';

/** What an attempt must know of those before it. Temporal keeps it: numbers alone. */
export interface FetchProgress {
  /** Rounds in which the provider was asked and gave nothing. What our own store did is none. */
  tries: number;
  /** When the provider is to be asked again, epoch milliseconds. */
  askAt: number;
  /** How many variants it offered then: a further one is tried at once. */
  offered: number;
}

interface Attempt {
  /** Null: this is the first. */
  progress: FetchProgress | null;
  signal: AbortSignal;
}

interface Fetched {
  /** Variants that could not be had, and why. */
  refused: { variant: RecordingVariant; source: string; reason: string }[];
  /** Null: nothing was stored, or nobody told. */
  standing: StateAtRevision | null;
  /** Milliseconds that the provider wants us to stay away. */
  awayMs: number;
}

/** From this try on a missing link is asked for; before, the record that is fetched alongside brings it. */
const ASK_FROM_TRY = 4;
/** A link that is there may have died: every so many tries another one is asked for. */
const RENEW_EVERY = 5;
/** So often it is looked for a link that a webhook brought, milliseconds: some die after ten minutes. It asks nobody. */
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

  /** One round: stores what can be fetched; throws RetryLater while a recording is waited for. */
  async fetch(conversationId: string, { progress: earlier, signal }: Attempt): Promise<WorkflowStatus> {
    const progress = earlier ?? NOTHING_TRIED;
    const found = await this.snapshots.read(conversationId);
    if (found === null) return this.lifecycle.look(conversationId);
    const tries = triesBy(found, progress, this.clock.now());
    if (tries === null) throw this.notYet('the recording', progress);
    const { before, ...asked } = await this.withLink(found, tries);
    if (before === null) return this.lifecycle.look(conversationId);
    const { refused, standing, ...fetched } = await this.fetchAll(before, { progress: earlier, signal });
    // What was answered to the last recording saves reading it again; a failed try may have taken long.
    const isTold = standing !== null && refused.length === 0;
    const after = isTold ? snapshotAfter(before, standing) : await this.snapshots.read(conversationId);
    if (after === null) return this.lifecycle.look(conversationId);
    const now = this.clock.now();
    const awayMs = Math.max(asked.awayMs, fetched.awayMs);
    const verdict = verdictOf(after, { refused: refused.length, tries, awayMs, now });
    if (verdict.kind === 'done') return workflowStatusOf(after, now);
    if (verdict.kind === 'give_up') return this.giveUp(after, refused);
    const askAt = Math.ceil(now + verdict.retryInMs);
    throw this.notYet(verdict.what, { tries, askAt, offered: after.record.fetchable.length });
  }

  private notYet(what: string, progress: FetchProgress): RetryLater {
    return new RetryLater(what, Math.max(250, Math.min(LOOK_EVERY_MS, progress.askAt - this.clock.now())), progress);
  }

  /** Says that what was refused is not had any more, and that the audio is absent if nothing else is there. */
  private async giveUp(snapshot: ConversationSnapshot, refused: Fetched['refused']): Promise<WorkflowStatus> {
    const { facts, lifecycle } = this;
    if (snapshot.record.completeness.audio.state === 'pending') {
      const reason = refused.at(-1)?.reason ?? 'deadline';
      await facts.report(snapshot, { kind: 'part_absent', part: 'audio', reason });
    }
    for (const one of refused) await facts.report(snapshot, { kind: 'recording_unavailable', ...one });
    return lifecycle.look(snapshot.conversationId);
  }

  /** Stores every variant that the provider offers and we lack; says which could not be had, and where it stands then. */
  private async fetchAll(snapshot: ConversationSnapshot, { progress, signal }: Attempt): Promise<Fetched> {
    const refused: Fetched['refused'] = [];
    let standing: StateAtRevision | null = null;
    let awayMs = 0;
    for (const variant of snapshot.record.fetchable as RecordingVariant[]) {
      const source = snapshot.sources[variant];
      if (source === undefined) continue;
      try {
        standing = await this.fetchOne(snapshot, { variant, source }, signal);
      } catch (error) {
        // A worker that stops has not heard the provider's answer.
        if (!(error instanceof ProviderError) || signal.aborted) throw error;
        // Nobody was asked: it was no try.
        if (error instanceof TooManyUnderWay)
          throw new RetryLater(
            'a place among the downloads of the account',
            error.retryAfterMs ?? LOOK_EVERY_MS,
            progress,
          );
        refused.push({ variant, source, reason: error.problem });
        awayMs = Math.max(awayMs, error.retryAfterMs ?? 0);
      }
    }
    return { refused, standing, awayMs };
  }

  private async fetchOne(
    snapshot: ConversationSnapshot,
    { variant, source }: RecordingSource,
    signal: AbortSignal,
  ): Promise<StateAtRevision | null> {
    const key = await this.vault.existingConversationKey(snapshot.conversationId);
    const { durationMs } = snapshot.record;
    // Whoever waits here for a place keeps a slot of the worker from others.
    const wanted = { ...snapshot, variant, source, durationMs, key, signal, worth: NOW_OR_NOT };
    const recording = await downloadRecording({ gateway: this.gateway, store: this.store }, wanted);
    const standing = await this.facts.report(snapshot, { kind: 'recording_stored', recording });
    // Another copy was first, by a webhook or another attempt: ours has lost for good. Not applied yet, it might still win.
    const hasLost = standing !== null && !isNamed(snapshotAfter(snapshot, standing), recording);
    if (hasLost) await this.store.remove(recording.object_key);
    return standing;
  }

  /** Where it stands; the provider is asked first when its link is long in coming, may have died, or is due now. */
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

/** Which try at the provider is due now, from 1; null: none, and nothing has changed. A further link begins with the first. */
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

const isNamed = ({ record }: ConversationSnapshot, { object_key: key }: StoredRecording): boolean =>
  record.recordings.some((named) => named.object_key === key);
