/** What a simulator knows about a record besides the document. Times are epoch milliseconds. */
export interface Notes {
  /** When it came to be; orders what never started. */
  createdMs: number;
  /** What the document was made from, to go on in the same way after a restart. */
  seed: string;
  /** The bulky part was not kept: it is made again from the seed. */
  isDerived?: boolean;
  /** It is complete, and its last webhook is still on the way: a restart tells it again. */
  isUntold?: boolean;
}
