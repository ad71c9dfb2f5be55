// Imports one listed conversation: fetches its record and recordings, then applies everything at once. A complete conversation
// is settled by that and needs no workflow; an incomplete one gets a workflow by the usual workflow command.
import { Injectable } from '@nestjs/common';
import { FactWriter } from '../intake/fact-writer.js';
import type { StoredRecording, WorkflowFact } from '../reducer/fact.js';
import { downloadRecording } from '../recordings/recording-download.js';
import { RecordingStore } from '../recordings/recording-store.js';
import type { Claims, Json, Part, RecordingSource } from '../providers/provider-fact.js';
import { ProviderError, type ListedConversation } from '../providers/provider.js';
import type { ProviderAccount } from '../providers/provider-accounts.js';
import { ProviderGateway } from '../providers/gateway/gateway.js';
import { PATIENT, NO_WAIT } from '../providers/gateway/retry-policy.js';
import { providerNamed } from '../providers/providers.js';
import { VaultService } from '../vault/vault.service.js';
import type { ListedIdentity } from './identify-listed.js';
import { ListedIdentities, type Reserved } from './listed-identities.js';

/** `busy`: another import or poll has reserved it. `missing`: the provider lists it but does not deliver it. */
export type ImportResult = 'added' | 'known' | 'busy' | 'missing';

export interface ImportRequest {
  account: ProviderAccount;
  listed: ListedConversation;
  identity: ListedIdentity;
  by: 'backfill' | 'poll';
  signal: AbortSignal;
}

interface Audio {
  recordings: StoredRecording[];
  /** Recordings that are permanently unavailable, with the reason. */
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

  /** Throws ProviderError if the provider is unavailable or refuses our credentials. */
  async import(request: ImportRequest): Promise<ImportResult> {
    const { account, identity, by } = request;
    const reserved = await this.identities.reserve(identity, by);
    if (typeof reserved === 'string') return reserved;
    let found: boolean;
    try {
      found = await this.fetch(request, reserved);
    } finally {
      await this.identities.release(identity, by);
    }
    if (!found) return 'missing';
    await this.facts.apply({ account, identityHash: identity.hash });
    return 'added';
  }

  /** False if the provider does not know the conversation. */
  private async fetch(request: ImportRequest, reserved: Reserved): Promise<boolean> {
    const { account, listed, identity, by, signal } = request;
    const isPoll = by === 'poll';
    const options = { signal, retry: isPoll ? NO_WAIT : PATIENT };
    const answer = await this.gateway.fetchRecord(account, listed, options);
    if (!answer.found) return false;
    // A poll has no time for recordings: a conversation that has ended by now gets a workflow.
    const statements = isPoll ? [] : await this.statementsOf(request, reserved, answer.document);
    const target = { account, identityHash: identity.hash };
    await this.facts.appendAll(target, { by, document: answer.document, statements });
    return true;
  }

  /** Facts to apply along with the record: stored recordings, and parts that will never be delivered. */
  private async statementsOf(request: ImportRequest, reserved: Reserved, document: Json): Promise<WorkflowFact[]> {
    const { account } = request;
    const claims = claimsOf(account, document);
    if (claims === null || claims.ended === null) return [];
    const audio = await this.audioOf(request, reserved, claims);
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
   * The recordings, stored or permanently missing. Null if asking again may help: then no fact about audio is reported, the
   * audio stays pending, and the conversation's workflow fetches all of it.
   */
  private async audioOf(request: ImportRequest, reserved: Reserved, claims: Claims): Promise<Audio | null> {
    const audio: Audio = { recordings: [], refused: [] };
    for (const wanted of claims.recordings) {
      try {
        audio.recordings.push(await this.recordingOf(request, reserved, { ...wanted, claims }));
      } catch (error) {
        // Cut off because the worker stops: this says nothing about the recording.
        if (!(error instanceof ProviderError) || request.signal.aborted) throw error;
        // Shortly after the end a recording may not be available at its location yet.
        if (!isFinal(error) || !isOverdue(claims, { part: 'audio', account: request.account, now: Date.now() }))
          return null;
        audio.refused.push({ ...wanted, reason: error.problem });
      }
    }
    return audio;
  }

  private async recordingOf(
    { account, signal }: ImportRequest,
    reserved: Reserved,
    { claims, variant, source }: RecordingSource & { claims: Claims },
  ): Promise<StoredRecording> {
    const keys = await this.vault.conversationKeys(reserved, ['audio']);
    const key = keys.get('audio');
    const durationMs = claims.fields.duration_ms ?? null;
    const wanted = { ...reserved, account, variant, source, durationMs, key, signal, retry: PATIENT };
    return downloadRecording({ gateway: this.gateway, store: this.store }, wanted);
  }
}

/** A refused API key (401) says nothing about the recording. */
const isFinal = ({ retryable, status }: ProviderError): boolean => !retryable && status !== 401;

/** Null if the mapping cannot interpret the document: intake then parks it with the reason. */
function claimsOf(account: ProviderAccount, document: Json): Claims | null {
  try {
    return providerNamed(account.provider).interpretRecord(document);
  } catch {
    return null;
  }
}

interface Circumstances {
  /** A recording is stored, or may still be fetched. */
  hasAudio: boolean;
  account: ProviderAccount;
  /** Epoch milliseconds. */
  now: number;
}

/**
 * Parts that the record lacks although their deadline, counted from the end that the provider names, has passed: there is no
 * point in waiting a day for the recording of a call of last month.
 */
function overdueParts(claims: Claims, { hasAudio, account, now }: Circumstances): Part[] {
  if (claims.ended?.neverConnected === true) return [];
  const isPresent = { transcript: claims.transcript !== null, audio: hasAudio, analysis: claims.analysed };
  return (['transcript', 'audio', 'analysis'] as const).filter(
    (part) =>
      !isPresent[part] &&
      !claims.denied.some((denied) => denied.part === part) &&
      isOverdue(claims, { part, account, now }),
  );
}

/** Whether the deadline of a part has passed, counted from the end that the provider names. */
const isOverdue = (
  { fields }: Claims,
  { part, account, now }: { part: Part; account: ProviderAccount; now: number },
): boolean => fields.end_time !== undefined && fields.end_time + account.deadlines[part] * 1000 <= now;
