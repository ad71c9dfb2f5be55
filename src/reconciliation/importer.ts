// Brings one listed conversation in whole: its record, its recordings, then all of it applied at once. What comes complete
// is settled by that, so that it needs no workflow; what does not gets one by the normal wake.
import { Injectable } from '@nestjs/common';
import { FactWriter } from '../intake/fact-writer.js';
import type { StoredRecording, WorkflowFact } from '../reducer/fact.js';
import { downloadRecording } from '../recordings/recording-download.js';
import { RecordingStore } from '../recordings/recording-store.js';
import type { Claims, Json, Part, RecordingSource } from '../providers/provider-fact.js';
import { ProviderError, type ListedConversation } from '../providers/provider.js';
import { clientOfAgent, type ProviderAccount } from '../providers/provider-accounts.js';
import { ProviderGateway } from '../providers/gateway/gateway.js';
import { INSIST, NOW_OR_NOT } from '../providers/gateway/persistence.js';
import { providerNamed } from '../providers/providers.js';
import { VaultService } from '../vault/vault.service.js';
import { ListedIdentities, type Reserved } from './listed-identities.js';

/** `busy`: somebody else is at it. `missing`: the provider lists it and does not give it. */
export type Imported = 'added' | 'known' | 'busy' | 'missing';

export interface ImportOrder {
  account: ProviderAccount;
  listed: ListedConversation;
  hash: Buffer;
  by: 'backfill' | 'poll';
  signal: AbortSignal;
}

interface Audio {
  recordings: StoredRecording[];
  /** Those that cannot be had for good, and why. */
  refused: (RecordingSource & { reason: string })[];
}

@Injectable()
export class Importer {
  constructor(
    private readonly identities: ListedIdentities,
    private readonly gateway: ProviderGateway,
    private readonly facts: FactWriter,
    private readonly store: RecordingStore,
    private readonly vault: VaultService,
  ) {}

  /** Throws ProviderError when the provider is away or refuses our credentials. */
  async bring(order: ImportOrder): Promise<Imported> {
    const { account, listed, hash, by } = order;
    const subject = { accountId: account.id, hash };
    const clientId = clientOfAgent(account, listed.providerAgentId);
    const reserved = await this.identities.reserve({ ...subject, clientId }, by);
    if (typeof reserved === 'string') return reserved;
    let found: boolean;
    try {
      found = await this.fetch(order, reserved);
    } finally {
      await this.identities.release(subject, by);
    }
    if (!found) return 'missing';
    await this.facts.apply({ account, identityHash: hash });
    return 'added';
  }

  /** False when the provider does not know it. */
  private async fetch(order: ImportOrder, reserved: Reserved): Promise<boolean> {
    const { account, listed, hash, by, signal } = order;
    const isPoll = by === 'poll';
    const asking = { signal, worth: isPoll ? NOW_OR_NOT : INSIST };
    const answer = await this.gateway.fetchRecord(account, listed, asking);
    if (!answer.found) return false;
    // A poll has no time for recordings: whatever is over by now gets a workflow.
    const statements = isPoll ? [] : await this.statementsOf(order, reserved, answer.document);
    await this.facts.bring({ account, identityHash: hash }, { by, document: answer.document, statements });
    return true;
  }

  /** What is known beside the record: recordings, and parts that nobody will deliver any more. */
  private async statementsOf(order: ImportOrder, reserved: Reserved, document: Json): Promise<WorkflowFact[]> {
    const { account } = order;
    const claims = claimsOf(account, document);
    if (claims === null || claims.ended === null) return [];
    const audio = await this.audioOf(order, reserved, claims);
    const hasAudio = audio === null || audio.recordings.length > 0;
    const overdue = overdueParts(claims, { hasAudio, account, now: Date.now() });
    const reasonOf = (part: Part): string => (part === 'audio' && audio?.refused.at(-1)?.reason) || 'deadline';
    return [
      ...(audio?.recordings ?? []).map((recording): WorkflowFact => ({ kind: 'recording_stored', recording })),
      ...(audio?.refused ?? []).map((one): WorkflowFact => ({ kind: 'recording_unavailable', ...one })),
      ...overdue.map((part): WorkflowFact => ({ kind: 'part_absent', part, reason: reasonOf(part) })),
    ];
  }

  /**
   * The recordings, and which of them are wanting for good. Null when asking again may help: then none of them is stated,
   * so that the audio stays pending, and the conversation's own workflow sees to all.
   */
  private async audioOf(order: ImportOrder, reserved: Reserved, claims: Claims): Promise<Audio | null> {
    const audio: Audio = { recordings: [], refused: [] };
    for (const wanted of claims.recordings) {
      try {
        audio.recordings.push(await this.recordingOf(order, reserved, { ...wanted, claims }));
      } catch (error) {
        // A worker that stops has not heard the provider's answer.
        if (!(error instanceof ProviderError) || order.signal.aborted) throw error;
        // Shortly after the end a recording may be on its way to where it is said to be.
        if (!isFinal(error) || !isOver(claims, { part: 'audio', account: order.account, now: Date.now() })) return null;
        audio.refused.push({ ...wanted, reason: error.problem });
      }
    }
    return audio;
  }

  private async recordingOf(
    { account, signal }: ImportOrder,
    reserved: Reserved,
    { claims, variant, source }: RecordingSource & { claims: Claims },
  ): Promise<StoredRecording> {
    const key = await this.vault.conversationKey(reserved);
    const durationMs = claims.fields.duration_ms ?? null;
    const wanted = { ...reserved, account, variant, source, durationMs, key, signal, worth: INSIST };
    return downloadRecording({ gateway: this.gateway, store: this.store }, wanted);
  }
}

/** A refused key says nothing of the recording. */
const isFinal = ({ retryable, status }: ProviderError): boolean => !retryable && status !== 401;

/** Null when our mapping does not understand the document: intake then parks it with the reason. */
function claimsOf(account: ProviderAccount, document: Json): Claims | null {
  try {
    return providerNamed(account.provider).interpretRecord(document);
  } catch {
    return null;
  }
}

interface Circumstances {
  /** It is there, or still to be had. */
  hasAudio: boolean;
  account: ProviderAccount;
  /** Epoch milliseconds. */
  now: number;
}

/**
 * Parts that the record lacks although their deadline, counted from the end that the provider names, has passed: nobody
 * waits a day for the recording of a call of last month.
 */
function overdueParts(claims: Claims, { hasAudio, account, now }: Circumstances): Part[] {
  if (claims.ended?.neverConnected === true) return [];
  const isPresent = { transcript: claims.transcript !== null, audio: hasAudio, analysis: claims.analysed };
  return (['transcript', 'audio', 'analysis'] as const).filter(
    (part) =>
      !isPresent[part] &&
      !claims.denied.some((denied) => denied.part === part) &&
      isOver(claims, { part, account, now }),
  );
}

/** The deadline of a part has passed, counted from the end that the provider names. */
const isOver = (
  { fields }: Claims,
  { part, account, now }: { part: Part; account: ProviderAccount; now: number },
): boolean => fields.end_time !== undefined && fields.end_time + account.deadlines[part] * 1000 <= now;
