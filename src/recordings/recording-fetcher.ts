// Fetches a conversation's recordings before their links die, or says why there is none.
import {
  viewOf,
  type ConversationView,
  type Lifecycle,
  type LifecycleDependencies,
} from '../conversations/lifecycle.js';
import { NotYet } from '../conversations/not-yet.js';
import { situationAfter, type Situation } from '../conversations/situation.js';
import type { Standing, StoredRecording } from '../intake/fact-writer.js';
import type { RecordingSource, RecordingVariant } from '../providers/provider-fact.js';
import { ProviderError } from '../providers/provider.js';
import type { VaultService } from '../vault/vault.service.js';
import { downloadRecording } from './recording-download.js';
import type { RecordingStore } from './recording-store.js';
import { verdictOf } from './recording-verdict.js';

interface Attempt {
  /** From 1. */
  attempt: number;
  signal: AbortSignal;
}

interface Fetched {
  /** Variants that could not be had, and why. */
  refused: { variant: RecordingVariant; source: string; reason: string }[];
  /** Null: nothing was stored, or nobody told. */
  standing: Standing | null;
}

interface Dependencies extends LifecycleDependencies {
  lifecycle: Lifecycle;
  store: RecordingStore;
  vault: VaultService;
}

/** From this try on a missing link is asked for; before, the record that is fetched alongside brings it. */
const ASK_FROM_ATTEMPT = 4;

export class RecordingFetcher {
  constructor(private readonly deps: Dependencies) {}

  /** One round: stores what can be fetched; throws NotYet while a recording is waited for. */
  async fetch(conversationId: string, attempt: Attempt): Promise<ConversationView> {
    const before = await this.readWithLink(conversationId, attempt.attempt);
    if (before === null) return this.deps.lifecycle.look(conversationId);
    const { refused, standing } = await this.fetchAll(before, attempt);
    // What was answered to the last recording saves reading it again; a failed try may have taken long.
    const isTold = standing !== null && refused.length === 0;
    const after = isTold ? situationAfter(before, standing) : await this.deps.read(conversationId);
    if (after === null) return this.deps.lifecycle.look(conversationId);
    const now = this.deps.now();
    const verdict = verdictOf(after, { refused: refused.length, attempt: attempt.attempt, now });
    if (verdict.kind === 'wait') throw new NotYet(verdict.what, verdict.retryInMs);
    return verdict.kind === 'give_up' ? this.giveUp(after, refused) : viewOf(after, now);
  }

  /** Says that what was refused is not had any more, and that the audio is absent if nothing else is there. */
  private async giveUp(situation: Situation, refused: Fetched['refused']): Promise<ConversationView> {
    const { facts, lifecycle } = this.deps;
    if (situation.record.completeness.audio.state === 'pending') {
      const reason = refused.at(-1)?.reason ?? 'deadline';
      await facts.state(situation, { kind: 'part_absent', part: 'audio', reason });
    }
    for (const one of refused) await facts.state(situation, { kind: 'recording_unavailable', ...one });
    return lifecycle.look(situation.conversationId);
  }

  /** Stores every variant that the provider offers and we lack; says which could not be had, and where it stands then. */
  private async fetchAll(situation: Situation, attempt: Attempt): Promise<Fetched> {
    const refused: Fetched['refused'] = [];
    let standing: Standing | null = null;
    for (const variant of situation.record.fetchable as RecordingVariant[]) {
      const source = situation.sources[variant];
      if (source === undefined) continue;
      try {
        standing = await this.fetchOne(situation, { variant, source }, attempt);
      } catch (error) {
        // A worker that stops has not heard the provider's answer.
        if (!(error instanceof ProviderError) || attempt.signal.aborted) throw error;
        refused.push({ variant, source, reason: error.problem });
      }
    }
    return { refused, standing };
  }

  private async fetchOne(
    situation: Situation,
    { variant, source }: RecordingSource,
    attempt: Attempt,
  ): Promise<Standing | null> {
    const key = await this.deps.vault.existingConversationKey(situation.conversationId);
    const { durationMs } = situation.record;
    const wanted = { ...situation, variant, source, durationMs, key, signal: attempt.signal };
    const recording = await downloadRecording(this.deps, wanted);
    const standing = await this.deps.facts.state(situation, { kind: 'recording_stored', recording });
    // Another copy was first, by a webhook or another attempt: ours has lost for good. Not applied yet, it might still win.
    const hasLost = standing !== null && !isNamed(situationAfter(situation, standing), recording);
    if (hasLost) await this.deps.store.remove(recording.object_key);
    return standing;
  }

  /** Where it stands; the provider is asked first when its link is long in coming, may have died, or is due now. */
  private async readWithLink(conversationId: string, attempt: number): Promise<Situation | null> {
    const situation = await this.deps.read(conversationId);
    if (situation === null) return null;
    const { state, dueAt } = situation.record.completeness.audio;
    const isDue = dueAt !== null && dueAt <= this.deps.now();
    if (state !== 'pending' || (attempt < ASK_FROM_ATTEMPT && !isDue)) return situation;
    try {
      const answer = await this.deps.gateway.fetchRecord(situation.account, situation);
      if (answer.found) await this.deps.facts.record(situation, answer.document);
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error;
    }
    return this.deps.read(conversationId);
  }
}

const isNamed = ({ record }: Situation, { object_key: key }: StoredRecording): boolean =>
  record.recordings.some((named) => named.object_key === key);
