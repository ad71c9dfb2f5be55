/** What is waited for is not there, and its deadline has not come. The message says what, without content. */
export class RetryLater extends Error {
  constructor(
    what: string,
    readonly retryInMs: number,
    /** What the next attempt must know of this one: numbers alone, since Temporal keeps it. */
    readonly progress: object | null = null,
  ) {
    super(`waiting for ${what}`);
    this.name = 'RetryLater';
  }
}
