// One recording from the provider into our store, sealed on its way; what is said of it afterwards is the caller's.
import { AppError } from '../common/errors.js';
import type { StoredRecording } from '../reducer/fact.js';
import type { Asking, ProviderGateway } from '../providers/gateway/gateway.js';
import type { ProviderAccount } from '../providers/provider-accounts.js';
import type { RecordingVariant } from '../providers/provider-fact.js';
import { brokenOff, type RecordingStream } from '../providers/provider.js';
import type { DataKey } from '../vault/sealing/sealing.js';
import { newRecordingRef, objectKeyOf } from './recording-object.js';
import type { RecordingStore } from './recording-store.js';

interface Dependencies {
  gateway: ProviderGateway;
  store: RecordingStore;
}

interface WantedRecording extends Asking {
  conversationId: string;
  clientId: string;
  account: ProviderAccount;
  variant: RecordingVariant;
  /** In the provider's own words. */
  source: string;
  durationMs: number | null;
  key: DataKey;
  signal: AbortSignal;
}

/** Downloads and stores a recording; a repetition makes another object. Throws ProviderError, and what the store throws. */
export function downloadRecording({ gateway, store }: Dependencies, wanted: WantedRecording): Promise<StoredRecording> {
  return gateway.download(wanted.account, wanted.source, wanted, (recording) => kept(store, wanted, recording));
}

async function kept(
  store: RecordingStore,
  wanted: WantedRecording,
  { body, contentType }: RecordingStream,
): Promise<StoredRecording> {
  const { conversationId, clientId, variant } = wanted;
  const ref = newRecordingRef({ conversationId, clientId }, variant);
  const bytes = await store.write(ref, wanted.key, body).catch((error: unknown) => {
    // A download that broke is the provider's matter and has a deadline; a full disk is ours and has none.
    throw error instanceof AppError ? error : brokenOff(error);
  });
  return {
    id: ref.id,
    variant,
    content_type: contentType,
    bytes,
    duration_ms: wanted.durationMs,
    object_key: objectKeyOf(ref),
    created_at: Date.now(),
  };
}
