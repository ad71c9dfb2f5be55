// The objects of recordings: each attempt to store one makes an object of its own, with a key and a seal that no other has.
import { derivedUuid, newUuid } from '../common/ids.js';
import { recordingContext } from '../vault/sealing/chunked.js';

interface Owner {
  conversationId: string;
  clientId: string;
}

export interface RecordingRef extends Owner {
  id: string;
  /** Which attempt's object; null: stored before there were versions. */
  version: string | null;
}

/** An object to be stored of a conversation's recording of one variant. The recording's id is the same each time. */
export const newRecordingRef = ({ conversationId, clientId }: Owner, variant: string): RecordingRef => ({
  id: derivedUuid(conversationId, `recording:${variant}`),
  conversationId,
  clientId,
  version: newUuid(),
});

/** Where it lies: a folder for each conversation, so that all of one goes together. */
export const objectKeyOf = ({ id, clientId, conversationId, version }: RecordingRef): string =>
  `${clientId}/${conversationId}/${id}${version === null ? '' : `.${version}`}`;

/** The version that an object's key ends in. */
export const versionOf = (objectKey: string): string | null => objectKey.split('.')[1] ?? null;

/** What it is sealed to: an older object of the same recording does not open in its place. */
export const contextOf = ({ id: recordingId, ...place }: RecordingRef): string =>
  recordingContext({ ...place, recordingId });
