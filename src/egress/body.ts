// The body of an answer: unpacked, counted, and given up when the host falls silent.
import type { IncomingMessage } from 'node:http';
import { pipeline, Transform, type Readable, type TransformCallback } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { MIB } from './limits.js';
import { EgressRefusal } from './refusal.js';
import { Shape } from './shape.js';

type Unpacker = Transform & { bytesWritten: number };

/** One packing: a list of several is none of them. */
const UNPACKERS = new Map<string, () => Unpacker>([
  ['gzip', createGunzip],
  ['x-gzip', createGunzip],
  ['deflate', createInflate],
  ['br', createBrotliDecompress],
]);

/** JSON and audio do not shrink to a hundredth; what seems to was made to fill our memory. */
const MAX_RATIO = 100;
/** So much may come of nothing. */
const FREE_BYTES = MIB;

/** Fails with {@link EgressRefusal} past `maxBytes`, and as soon as more comes out of it than any honest packing holds. */
export function bodyOf(response: IncomingMessage, limits: { maxBytes: number; silenceMs: number }): Readable {
  const unpacker = unpackerOf(response);
  const gate = new Gate(limits.maxBytes, unpacker);
  cutWhenSilent(response, limits.silenceMs);
  // What goes wrong is the gate's error: whoever reads it hears of it.
  const done = (): void => undefined;
  if (unpacker === null) pipeline(response, gate, done);
  else pipeline(response, unpacker, gate, done);
  return gate;
}

function unpackerOf(response: IncomingMessage): Unpacker | null {
  const packing = response.headers['content-encoding']?.trim().toLowerCase() ?? '';
  if (packing === '' || packing === 'identity') return null;
  const make = UNPACKERS.get(packing);
  if (make !== undefined) return make();
  response.destroy();
  throw new EgressRefusal('content_type_not_allowed');
}

class Gate extends Transform {
  private seen = 0;

  constructor(
    private readonly maxBytes: number,
    /** `bytesWritten` of it are the packed bytes that it has used. */
    private readonly unpacker: Unpacker | null,
  ) {
    super();
  }

  override _transform(chunk: Buffer, _: BufferEncoding, done: TransformCallback): void {
    this.seen += chunk.length;
    const packed = this.unpacker?.bytesWritten ?? this.seen;
    const isBomb = this.seen > FREE_BYTES && this.seen > packed * MAX_RATIO;
    if (this.seen > this.maxBytes || isBomb) done(new EgressRefusal('answer_too_large'));
    else done(null, chunk);
  }
}

function cutWhenSilent(response: IncomingMessage, silenceMs: number): void {
  const { socket } = response;
  let before = socket.bytesRead;
  const timer = setInterval(() => {
    const now = socket.bytesRead;
    // While whoever reads is slow, nothing is taken from the host.
    const isSilent = now === before && !response.isPaused() && !response.complete;
    if (isSilent) response.destroy(new Error('the host fell silent'));
    before = now;
  }, silenceMs);
  response.on('resume', () => (before = -1));
  response.once('close', () => clearInterval(timer));
}

/** All of a JSON document, unparsed. Throws {@link EgressRefusal} when it holds too many values, or too deep ones. */
export async function jsonTextOf(body: Readable, limits: { maxValues: number; maxDepth: number }): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const shape = new Shape();
  for await (const chunk of body as AsyncIterable<Buffer>) {
    shape.read(chunk);
    if (shape.values > limits.maxValues || shape.deepest > limits.maxDepth) throw new EgressRefusal('answer_too_large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
