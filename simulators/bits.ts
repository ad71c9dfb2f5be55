// A bit buffer, most significant bit first.

/** Collects bits and returns them as bytes. */
export class BitWriter {
  private readonly bits: number[] = [];

  /** The number of bits so far. */
  get length(): number {
    return this.bits.length;
  }

  /** Appends the lowest `width` bits of a value, most significant first. */
  write(value: number, width: number): void {
    for (let bit = width - 1; bit >= 0; bit -= 1) this.bits.push(bit > 30 ? 0 : (value >> bit) & 1);
  }

  append(other: BitWriter): void {
    for (const bit of other.bits) this.bits.push(bit);
  }

  /** All bits; the last byte is padded with 0. */
  bytes(): Buffer {
    const bytes = Buffer.alloc(Math.ceil(this.bits.length / 8));
    this.bits.forEach((bit, index) => (bytes[index >> 3] = (bytes[index >> 3] ?? 0) | (bit << (7 - (index & 7)))));
    return bytes;
  }
}
