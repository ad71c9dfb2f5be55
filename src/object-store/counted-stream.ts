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
    const pieces: AsyncIterator<Buffer> = this.body[Symbol.asyncIterator]();
    try {
      for (;;) {
        // By hand: a consumer that fails throws into this generator, which is no failure of the stream.
        const { done, value } = await pieces.next().catch((error: unknown) => {
          this.failure = { error };
          throw error;
        });
        if (done === true) return;
        this.bytes += value.length;
        yield value;
      }
    } finally {
      await pieces.return?.();
    }
  }
}
