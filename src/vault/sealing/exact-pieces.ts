/**
 * Cuts a byte stream into pieces of exactly `size` bytes; the last one may be shorter. A piece that lies within one arriving
 * chunk is a view of it, not a copy.
 */
export async function* exactPieces(stream: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Uint8Array> {
  // Allocated only if needed: input in pieces of the right size needs no buffer.
  let pending: Buffer | null = null;
  let pendingBytes = 0;
  for await (const arrived of stream) {
    let from = 0;
    if (pending !== null && pendingBytes > 0) {
      from = Math.min(size - pendingBytes, arrived.byteLength);
      pending.set(arrived.subarray(0, from), pendingBytes);
      pendingBytes += from;
      if (pendingBytes < size) continue;
      yield pending;
      pendingBytes = 0;
    }
    for (; from + size <= arrived.byteLength; from += size) yield arrived.subarray(from, from + size);
    pendingBytes = arrived.byteLength - from;
    if (pendingBytes > 0) (pending ??= Buffer.allocUnsafe(size)).set(arrived.subarray(from));
  }
  if (pending !== null && pendingBytes > 0) yield pending.subarray(0, pendingBytes);
}
