// Reads the body of a response: decompressed, limited in size, and aborted when the host stops sending.
import type { IncomingMessage } from 'node:http';
import { pipeline, Transform, type Readable, type TransformCallback } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { MIB } from './limits.js';
import { EgressRefusal } from './refusal.js';
import { JsonShape } from './json-shape.js';

type Decompressor = Transform & { bytesWritten: number };

/** Supported content encodings; lists of several are refused. */
const DECOMPRESSORS = new Map<string, () => Decompressor>([
  ['gzip', createGunzip],
  ['x-gzip', createGunzip],
  ['deflate', createInflate],
  ['br', createBrotliDecompress],
]);

/** Real JSON and audio never compress this well: a higher ratio is a decompression bomb. */
const MAX_RATIO = 100;
/** The ratio is not checked below this size. */
const UNCHECKED_BYTES = MIB;

/** The decompressed body. Fails with {@link EgressRefusal} beyond `maxBytes`, and for decompression bombs. */
export function bodyOf(response: IncomingMessage, limits: { maxBytes: number; silenceMs: number }): Readable {
  const decompressor = decompressorFor(response);
  const limiter = new SizeLimiter(limits.maxBytes, decompressor);
  abortWhenSilent(response, limits.silenceMs);
  // Errors end the limiter, so that its reader gets them.
  const done = (): void => undefined;
  if (decompressor === null) pipeline(response, limiter, done);
  else pipeline(response, decompressor, limiter, done);
  return limiter;
}

function decompressorFor(response: IncomingMessage): Decompressor | null {
  const encoding = response.headers['content-encoding']?.trim().toLowerCase() ?? '';
  if (encoding === '' || encoding === 'identity') return null;
  const make = DECOMPRESSORS.get(encoding);
  if (make !== undefined) return make();
  response.destroy();
  throw new EgressRefusal('content_type_not_allowed');
}

class SizeLimiter extends Transform {
  private seen = 0;

  constructor(
    private readonly maxBytes: number,
    /** Its `bytesWritten` counts compressed bytes; null: the body is not compressed. */
    private readonly decompressor: Decompressor | null,
  ) {
    super();
  }

  override _transform(chunk: Buffer, _: BufferEncoding, done: TransformCallback): void {
    this.seen += chunk.length;
    const compressed = this.decompressor?.bytesWritten ?? this.seen;
    const isBomb = this.seen > UNCHECKED_BYTES && this.seen > compressed * MAX_RATIO;
    if (this.seen > this.maxBytes || isBomb) done(new EgressRefusal('answer_too_large'));
    else done(null, chunk);
  }
}

function abortWhenSilent(response: IncomingMessage, silenceMs: number): void {
  const { socket } = response;
  let before = socket.bytesRead;
  const timer = setInterval(() => {
    const now = socket.bytesRead;
    // A paused response reads nothing from the host: then our reader is slow, not the host.
    const isSilent = now === before && !response.isPaused() && !response.complete;
    if (isSilent) response.destroy(new Error('the host stopped sending'));
    before = now;
  }, silenceMs);
  response.on('resume', () => (before = -1));
  response.once('close', () => clearInterval(timer));
}

/** Reads a whole JSON document, unparsed. Throws {@link EgressRefusal} if it has too many values or levels. */
export async function jsonTextOf(body: Readable, limits: { maxValues: number; maxDepth: number }): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const shape = new JsonShape();
  for await (const chunk of body as AsyncIterable<Buffer>) {
    shape.read(chunk);
    if (shape.values > limits.maxValues || shape.deepest > limits.maxDepth) throw new EgressRefusal('answer_too_large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
