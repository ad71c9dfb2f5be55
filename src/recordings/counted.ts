// A stream on its way into a store: counted, and its own failure told apart from the store's.
import type { Readable } from 'node:stream';

export class Counted {
  /** So far. */
  bytes = 0;
  /** What the stream itself failed with; null while it did not. */
  failure: { error: unknown } | null = null;

  constructor(private readonly body: Readable) {}

  /** The pieces of the stream; leaving them early destroys it. */
  async *pieces(): AsyncGenerator<Buffer> {
    try {
      for await (const piece of this.body) {
        const bytes = piece as Buffer;
        this.bytes += bytes.length;
        yield bytes;
      }
    } catch (error) {
      this.failure = { error };
      throw error;
    }
  }
}
