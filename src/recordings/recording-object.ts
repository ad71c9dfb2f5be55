// Keys and sealing contexts of stored recordings: each attempt to store one creates an object of its own.
import { derivedUuid, newUuid } from '../common/ids.js';
import { recordingContext } from '../vault/sealing/chunked.js';

interface Owner {
  conversationId: string;
  clientId: string;
}

export interface RecordingRef extends Owner {
  id: string;
  /** Identifies the attempt that stored the object; null: stored before there were versions. */
  version: string | null;
}

/** A new object for the recording of one variant. The recording's id is the same each time, the version is new. */
export const newRecordingRef = ({ conversationId, clientId }: Owner, variant: string): RecordingRef => ({
  id: derivedUuid(conversationId, `recording:${variant}`),
  conversationId,
  clientId,
  version: newUuid(),
});

/** Key in the store: one folder per conversation, so that all its objects can be removed together. */
export const objectKeyOf = ({ id, clientId, conversationId, version }: RecordingRef): string =>
  `${clientId}/${conversationId}/${id}${version === null ? '' : `.${version}`}`;

/** The version that an object's key ends in. */
export const versionOf = (objectKey: string): string | null => objectKey.split('.')[1] ?? null;

/** The context it is sealed under, so that an older object of the same recording cannot replace it. */
export const contextOf = ({ id: recordingId, ...place }: RecordingRef): string =>
  recordingContext({ ...place, recordingId });
