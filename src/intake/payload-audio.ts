// Stores audio that a webhook contains before its fact is committed and dropped. With zero retention at the provider, it is the
// only copy.
import { derivedUuid, newUuid } from '../common/ids.js';
import type { AudioClaim } from '../providers/provider-fact.js';
import type { DataKey } from '../vault/sealing/sealing.js';
import { ofRecording } from '../reducer/register-writes.js';
import type { Fact, StoredRecording } from '../reducer/fact.js';
import { wins } from '../reducer/merge.js';
import type { Registers } from '../reducer/registers.js';

interface RecordingRef {
  id: string;
  clientId: string;
  conversationId: string;
  version: string;
}

/** Injection token of {@link StoreAudio}, since intake does not import the recordings folder. */
export const STORE_AUDIO = Symbol('store audio');

/** Seals and stores `bytes` as a new object; resolves with its key. */
export type StoreAudio = (ref: RecordingRef, key: DataKey, bytes: Buffer) => Promise<string>;

/** The object store failed. The fact is not the cause: it is postponed, never parked. */
export class AudioNotStored extends Error {
  constructor(cause: unknown) {
    super('the audio of a webhook could not be stored', { cause });
    this.name = 'AudioNotStored';
  }
}

interface FactsWithAudio {
  owner: { conversationId: string; clientId: string };
  key: DataKey;
  facts: Fact[];
  registers: Registers;
}

/** Stores the audio of facts and returns them with references to it. Throws {@link AudioNotStored}. */
export async function storePayloadAudio(
  store: StoreAudio,
  { owner, key, facts, registers }: FactsWithAudio,
): Promise<Fact[]> {
  const done: Fact[] = [];
  for (const fact of facts) {
    if (fact.source === 'workflow' || fact.claims.audio.length === 0) {
      done.push(fact);
      continue;
    }
    const stored: StoredRecording[] = [];
    for (const audio of fact.claims.audio) {
      const recording = recordingOf(audio, owner, fact);
      // Skip a recording that would lose to the present one.
      if (!wins(registers, ofRecording(recording, fact))) continue;
      const ref = { id: recording.id, ...owner, version: newUuid() };
      const objectKey = await store(ref, key, audio.bytes).catch((error: unknown) => {
        throw new AudioNotStored(error);
      });
      stored.push({ ...recording, object_key: objectKey });
    }
    // The bytes are stored; free the memory.
    done.push({ ...fact, claims: { ...fact.claims, audio: [] }, stored });
  }
  return done;
}

/** The id is derived from the fact: repeated attempts refer to the same recording, distinct from fetched ones. */
const recordingOf = (
  { variant, contentType, bytes }: AudioClaim,
  { conversationId }: FactsWithAudio['owner'],
  { receivedAt, hash }: Fact,
): StoredRecording => ({
  id: derivedUuid(conversationId, `recording:${variant}:${hash}`),
  variant,
  content_type: contentType,
  bytes: bytes.length,
  duration_ms: null,
  object_key: '',
  created_at: receivedAt,
});
