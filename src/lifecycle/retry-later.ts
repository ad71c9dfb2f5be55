/** Something is not there yet and its deadline has not passed: try again later. The message says what, without content. */
export class RetryLater extends Error {
  constructor(
    what: string,
    readonly retryInMs: number,
    /** What the next attempt must know about this one. Temporal stores it, so it holds numbers only. */
    readonly progress: object | null = null,
  ) {
    super(`waiting for ${what}`);
    this.name = 'RetryLater';
  }
}
