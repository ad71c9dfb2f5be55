// Reads a request body within limits of size, idle time and total time.
import type { Readable } from 'node:stream';
import { AppError } from '../common/errors.js';

/** Longest pause of a sender, milliseconds. */
const MAX_IDLE_MS = 10_000;
/** Longest time for a whole body, milliseconds: 64 MiB at 1.1 MB/s. */
const MAX_TOTAL_MS = 60_000;
const CHECK_EVERY_MS = 1_000;

interface Limits {
  maxBytes: number;
  /** Called for every chunk; if it throws, reading ends with its error. */
  onBytes?: ((bytes: number) => void) | undefined;
  maxIdleMs?: number;
  maxTotalMs?: number;
}

/** All bytes. Throws `too_large`; `invalid_request` if the body is late or its sender has gone; what `onBytes` throws. */
export function readBody(body: Readable, limits: Limits): Promise<Buffer> {
  const { maxBytes, onBytes, maxIdleMs = MAX_IDLE_MS, maxTotalMs = MAX_TOTAL_MS } = limits;
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    const begun = performance.now();
    let [bytes, lastAt] = [0, begun];
    const timer = setInterval(() => {
      const now = performance.now();
      if (now - lastAt > maxIdleMs || now - begun > maxTotalMs) fail(notInTime());
    }, CHECK_EVERY_MS);
    const stop = (): void => {
      clearInterval(timer);
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
      // Always copies: a chunk may be a view of the socket's read buffer.
      resolve(Buffer.concat(pieces, bytes));
    };
    const onClose = (): void => fail(notInTime());
    // The sender may have gone before reading began.
    if (body.destroyed) return fail(notInTime());
    body.on('data', onData).on('end', onEnd).on('error', fail).on('close', onClose);
  });
}

export const tooLarge = (maxBytes: number): AppError =>
  new AppError('too_large', `this route accepts at most ${maxBytes} bytes`);

const notInTime = (): AppError => new AppError('invalid_request', 'the body did not arrive in time');
