// Label values that come from elsewhere stay few and harmless: every new one is a time series for ever.

const PLAIN = /^[A-Za-z][A-Za-z0-9_]{0,47}$/;

export class BoundedLabel {
  private readonly seen = new Set<string>();

  constructor(private readonly limit = 60) {}

  /** The value itself when it is a plain word and one of the first `limit`, else `other`. */
  of(value: string): string {
    if (this.seen.has(value)) return value;
    if (!PLAIN.test(value) || this.seen.size >= this.limit) return 'other';
    this.seen.add(value);
    return value;
  }
}
