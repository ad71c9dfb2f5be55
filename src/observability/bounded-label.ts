// Limits label values that come from outside: each new value is a time series that stays for ever.

const PLAIN = /^[A-Za-z][A-Za-z0-9_]{0,47}$/;

export class BoundedLabel {
  private readonly seen = new Set<string>();

  constructor(private readonly limit = 60) {}

  /** The value itself if it is a plain identifier and among the first `limit` ones, else `other`. */
  of(value: string): string {
    if (this.seen.has(value)) return value;
    if (!PLAIN.test(value) || this.seen.size >= this.limit) return 'other';
    this.seen.add(value);
    return value;
  }
}
