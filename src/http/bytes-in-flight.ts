// How many bytes of bodies are held at a time, by whom and in all. What goes beyond is refused until others are done.
import { AppError } from '../common/errors.js';

interface Limits {
  /** Bytes of one owner. */
  perOwner: number;
  /** Bytes of all owners together. */
  total: number;
  /** Up to this size a body is small: large ones leave a quarter of each limit to the small ones. */
  smallBytes: number;
}

/** The bytes of one body. */
export interface HeldBytes {
  /** Counts further bytes. Throws `storage_unavailable` with `Retry-After`. */
  add(bytes: number): void;
  /** The body is held no longer; may be called twice. */
  release(): void;
}

export class BytesInFlight {
  private readonly byOwner = new Map<string, number>();
  private total = 0;

  constructor(private readonly limits: Limits) {}

  /** A body of `owner` that says it will have `expected` bytes. Throws as {@link HeldBytes.add} does when they have no room. */
  begin(owner: string, expected: number): HeldBytes {
    this.requireRoom(owner, expected, expected);
    let held = 0;
    return {
      add: (bytes) => {
        this.requireRoom(owner, bytes, held + bytes);
        held += bytes;
        this.change(owner, bytes);
      },
      release: () => {
        this.change(owner, -held);
        held = 0;
      },
    };
  }

  private requireRoom(owner: string, bytes: number, size: number): void {
    const { perOwner, total, smallBytes } = this.limits;
    const share = size > smallBytes ? 0.75 : 1;
    const ofOwner = (this.byOwner.get(owner) ?? 0) + bytes;
    if (ofOwner <= perOwner * share && this.total + bytes <= total * share) return;
    throw new AppError('storage_unavailable', 'too many bytes are under way: repeat', {
      headers: { 'retry-after': '2' },
    });
  }

  private change(owner: string, bytes: number): void {
    this.total += bytes;
    const ofOwner = (this.byOwner.get(owner) ?? 0) + bytes;
    if (ofOwner === 0) this.byOwner.delete(owner);
    else this.byOwner.set(owner, ofOwner);
  }
}
