// Downloads one recording from the provider into our store, sealing it on the way. The caller reports the fact.
import { AppError } from '../common/errors.js';
import type { StoredRecording } from '../reducer/fact.js';
import type { RequestOptions, ProviderGateway } from '../providers/gateway/gateway.js';
import type { ProviderAccount } from '../providers/provider-accounts.js';
import type { RecordingVariant } from '../providers/provider-fact.js';
import { transportError, type RecordingStream } from '../providers/provider.js';
import type { DataKey } from '../vault/sealing/sealing.js';
import { newRecordingRef, objectKeyOf } from './recording-object.js';
import type { RecordingStore } from './recording-store.js';

interface Dependencies {
  gateway: ProviderGateway;
  store: RecordingStore;
}

interface WantedRecording extends RequestOptions {
  conversationId: string;
  clientId: string;
  account: ProviderAccount;
  variant: RecordingVariant;
  /** Where it is; only the provider's own code interprets this. */
  source: string;
  durationMs: number | null;
  key: DataKey;
  signal: AbortSignal;
}

/** Downloads and stores a recording; each call creates a new object. Throws ProviderError, and what the store throws. */
export function downloadRecording({ gateway, store }: Dependencies, wanted: WantedRecording): Promise<StoredRecording> {
  return gateway.download(wanted.account, wanted.source, wanted, (recording) => storeStream(store, wanted, recording));
}

async function storeStream(
  store: RecordingStore,
  wanted: WantedRecording,
  { body, contentType }: RecordingStream,
): Promise<StoredRecording> {
  const { conversationId, clientId, variant } = wanted;
  const ref = newRecordingRef({ conversationId, clientId }, variant);
  const bytes = await store.write(ref, wanted.key, body).catch((error: unknown) => {
    // A broken download is a failure of the provider and has a deadline; a full disk is our own failure and has none.
    throw error instanceof AppError ? error : transportError(error);
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
