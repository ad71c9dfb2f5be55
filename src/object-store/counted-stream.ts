// Wraps a stream that is being uploaded: counts its bytes, and tells its own failure apart from the store's.
import type { Readable } from 'node:stream';

export class CountedStream {
  /** Bytes so far. */
  bytes = 0;
  /** The stream's own error; null if it has not failed. */
  failure: { error: unknown } | null = null;

  constructor(private readonly body: Readable) {}

  /** The pieces of the stream. Ending the iteration early destroys the stream. */
  async *pieces(): AsyncGenerator<Buffer> {
    const pieces: AsyncIterator<Buffer> = this.body[Symbol.asyncIterator]();
    try {
      for (;;) {
        // Not `for await`: a consumer that fails throws into this generator, and that is not a failure of the stream.
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
