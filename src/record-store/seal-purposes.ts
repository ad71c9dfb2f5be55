/** What is sealed of a conversation in a row. */
export type DocumentKind = 'header' | 'state' | 'provider_record' | 'transcript';

/**
 * Binds a document to its kind and to the revision of its row, so that an earlier version of it does not open in its place.
 * Client, conversation and class are bound by the key. Headers and transcripts have the revision of the conversation; the
 * state changes more often and counts for itself, and the provider's document has the count of the state it came with.
 */
export const purposeOf = (kind: DocumentKind, revision: number): string => JSON.stringify([kind, revision]);
