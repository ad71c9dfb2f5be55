// One part of an object on its way to a reader: taken from the store as fast as it comes, given on as the reader likes. A
// listener who pauses holds at most one part in memory, and no socket.
import { PassThrough, type Readable } from 'node:stream';

export const WINDOW_BYTES = 2 * 1024 * 1024;
/** For the whole of a part: 70 KB/s. */
const WINDOW_MS = 30_000;

export interface Window {
  pieces: Readable;
  /** Resolves when the store has nothing more to send: all is here, it failed, or the reader left. */
  received: Promise<void>;
}

/** The body of an answer of at most {@link WINDOW_BYTES}; cut when it takes too long. */
export function receive(body: Readable): Window {
  const pieces = new PassThrough({ highWaterMark: WINDOW_BYTES });
  const received = new Promise<void>((resolve) => body.once('close', resolve));
  const late = setTimeout(() => body.destroy(new Error('the store stopped in the middle of an answer')), WINDOW_MS);
  body.on('error', (error) => pieces.destroy(error));
  body.once('close', () => {
    clearTimeout(late);
    if (!body.readableEnded) pieces.destroy(new Error('the store broke off in the middle of an answer'));
  });
  pieces.once('close', () => body.destroy());
  body.pipe(pieces);
  return { pieces, received };
}
