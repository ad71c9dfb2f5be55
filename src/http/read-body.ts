// Reads a body within limits: of bytes, of silence, of time. Whoever stops sending is not waited for.
import type { Readable } from 'node:stream';
import { AppError } from '../common/errors.js';

/** Silence of a sender, milliseconds. */
const MAX_IDLE_MS = 10_000;
/** A whole body, milliseconds: 64 MiB at 1.1 MB/s. */
const MAX_TOTAL_MS = 60_000;
const LOOK_EVERY_MS = 1_000;

interface Limits {
  maxBytes: number;
  /** Told of every piece; what it throws ends the reading. */
  onBytes?: ((bytes: number) => void) | undefined;
  maxIdleMs?: number;
  maxTotalMs?: number;
}

/** All bytes. Throws `too_large`; `invalid_request` when they do not come in time or the sender went away; what `onBytes` throws. */
export function readBody(body: Readable, limits: Limits): Promise<Buffer> {
  const { maxBytes, onBytes, maxIdleMs = MAX_IDLE_MS, maxTotalMs = MAX_TOTAL_MS } = limits;
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    const begun = performance.now();
    let [bytes, lastAt] = [0, begun];
    const looking = setInterval(() => {
      const now = performance.now();
      if (now - lastAt > maxIdleMs || now - begun > maxTotalMs) fail(notInTime());
    }, LOOK_EVERY_MS);
    const stop = (): void => {
      clearInterval(looking);
      body.off('data', onData).off('end', onEnd).off('error', fail).off('close', onClose);
    };
    const fail = (error: unknown): void => {
      stop();
      pieces.length = 0;
      reject(error instanceof AppError ? error : notInTime());
    };
    const onData = (piece: Buffer): void => {
      bytes += piece.length;
      lastAt = performance.now();
      if (bytes > maxBytes) return fail(tooLarge(maxBytes));
      try {
        onBytes?.(piece.length);
      } catch (error) {
        return fail(error);
      }
      pieces.push(piece);
    };
    const onEnd = (): void => {
      stop();
      // A copy, always: a piece may be a view of the buffer that the socket reads into.
      resolve(Buffer.concat(pieces, bytes));
    };
    const onClose = (): void => fail(notInTime());
    // Gone while something else was waited for.
    if (body.destroyed) return fail(notInTime());
    body.on('data', onData).on('end', onEnd).on('error', fail).on('close', onClose);
  });
}

export const tooLarge = (maxBytes: number): AppError =>
  new AppError('too_large', `this route takes at most ${maxBytes} bytes`);

const notInTime = (): AppError => new AppError('invalid_request', 'the body did not come, or not in time');
