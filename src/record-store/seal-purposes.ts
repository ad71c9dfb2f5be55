/** Documents of a conversation that are sealed in a row. */
export type DocumentKind = 'header' | 'state' | 'provider_record' | 'transcript';

/**
 * Binds a document to its kind and to the revision of its row, so that an earlier version cannot be opened in its place. The
 * key binds client, conversation and class. Headers and transcripts use the revision of the conversation. The state changes
 * more often and has its own revision, which the provider's document uses as well.
 */
export const purposeOf = (kind: DocumentKind, revision: number): string => JSON.stringify([kind, revision]);
