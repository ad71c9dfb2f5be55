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
  /** The request is over; its body is held no longer, unless work still needs it. May be called twice. */
  release(): void;
  /** The body is held until this is settled, also when the request is over before: a sender that hangs up frees nothing. */
  keepFor<Result>(work: Promise<Result>): Promise<Result>;
}

export class BytesInFlight {
  private readonly byOwner = new Map<string, number>();
  private total = 0;

  constructor(private readonly limits: Limits) {}

  /** A body of `owner` that says it will have `expected` bytes. Throws as {@link HeldBytes.add} does when they have no room. */
  begin(owner: string, expected: number): HeldBytes {
    this.requireRoom(owner, expected, expected);
    // Who needs the bytes: the request, until it is over, and the work on it.
    let [held, users, isOver] = [0, 1, false];
    const leave = (): void => {
      users -= 1;
      if (users > 0) return;
      this.change(owner, -held);
      held = 0;
    };
    return {
      add: (bytes) => {
        this.requireRoom(owner, bytes, held + bytes);
        held += bytes;
        this.change(owner, bytes);
      },
      release: () => {
        if (!isOver) leave();
        isOver = true;
      },
      keepFor: (work) => {
        users += 1;
        return work.finally(leave);
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
