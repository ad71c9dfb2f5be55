/** What a simulator knows about a record besides the document. Times are epoch milliseconds. */
export interface Notes {
  /** Creation time; orders records that never started. */
  createdMs: number;
  /** The seed of the document, so that it continues in the same way after a restart. */
  seed: string;
  /** The bulky fields are not stored: they are generated from the seed again. */
  isDerived?: boolean;
  /** The record is complete, but its last webhook is not delivered yet: a restart sends it again. */
  isUntold?: boolean;
}
