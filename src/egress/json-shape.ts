// Counts the values and nesting of a JSON text before it is parsed. Pure.

const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c];
const [OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];

/** Reads a text piece by piece. Does not validate: invalid JSON fails when it is parsed. */
export class JsonShape {
  /** Approximate number of values: each except the first follows a comma or an opening bracket. */
  values = 0;
  /** Deepest nesting so far. */
  deepest = 0;
  private depth = 0;
  private inText = false;
  private isEscaped = false;

  read(piece: Uint8Array): void {
    for (const byte of piece) {
      if (this.inText) this.readText(byte);
      else if (byte === QUOTE) this.inText = true;
      else if (byte === OPEN_ARRAY || byte === OPEN_OBJECT) this.open();
      else if (byte === CLOSE_ARRAY || byte === CLOSE_OBJECT) this.depth -= 1;
      else if (byte === COMMA) this.values += 1;
    }
  }

  private readText(byte: number): void {
    if (this.isEscaped) this.isEscaped = false;
    else if (byte === BACKSLASH) this.isEscaped = true;
    else if (byte === QUOTE) this.inText = false;
  }

  private open(): void {
    this.values += 1;
    this.depth += 1;
    if (this.depth > this.deepest) this.deepest = this.depth;
  }
}
