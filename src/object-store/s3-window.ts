// Buffers one part of an object for a reader: received from the store at full speed, passed on at the reader's pace. A paused
// reader holds at most one part in memory, and no socket.
import { PassThrough, type Readable } from 'node:stream';

export const WINDOW_BYTES = 2 * 1024 * 1024;
/** Time for a whole part, milliseconds: 70 KB/s at least. */
const WINDOW_MS = 30_000;

export interface Window {
  pieces: Readable;
  /** Resolves when the store sends nothing more: the part is complete, the store failed, or the reader left. */
  received: Promise<void>;
}

/** Receives a response body of at most {@link WINDOW_BYTES}; aborts it when it takes too long. */
export function receive(body: Readable): Window {
  const pieces = new PassThrough({ highWaterMark: WINDOW_BYTES });
  const received = new Promise<void>((resolve) => body.once('close', resolve));
  const late = setTimeout(() => body.destroy(new Error('the store stalled in the middle of a response')), WINDOW_MS);
  body.on('error', (error) => pieces.destroy(error));
  body.once('close', () => {
    clearTimeout(late);
    if (!body.readableEnded) pieces.destroy(new Error('the store broke off in the middle of a response'));
  });
  pieces.once('close', () => body.destroy());
  body.pipe(pieces);
  return { pieces, received };
}
