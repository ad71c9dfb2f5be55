// Audio that came inside a webhook: laid into the store before the commit, so that no fact is dropped before its audio is stored.
// Under zero retention it is the only copy there will ever be.
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

/** Injection token of {@link StoreAudio}: intake does not know the store of recordings. */
export const STORE_AUDIO = Symbol('store audio');

/** Seals and stores `bytes`, beside what earlier attempts left; resolves with the key of the object. */
export type StoreAudio = (ref: RecordingRef, key: DataKey, bytes: Buffer) => Promise<string>;

/** The store of recordings cannot take it now. The fact is good and waits; it must not be parked. */
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

/** The facts, with their audio stored. Throws {@link AudioNotStored}. */
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
      // It would lose to the recording that is there.
      if (!wins(registers, ofRecording(recording, fact))) continue;
      const ref = { id: recording.id, ...owner, version: newUuid() };
      const objectKey = await store(ref, key, audio.bytes).catch((error: unknown) => {
        throw new AudioNotStored(error);
      });
      stored.push({ ...recording, object_key: objectKey });
    }
    // The bytes have been laid down: nobody needs them in memory any more.
    done.push({ ...fact, claims: { ...fact.claims, audio: [] }, stored });
  }
  return done;
}

/** By its fact: a repeated attempt tells of the same recording, which is none that was fetched from the provider. */
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
