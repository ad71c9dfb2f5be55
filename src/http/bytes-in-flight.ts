// Bounds the bytes of request bodies held in memory, per owner and in total. Bodies beyond a limit are refused.
import { AppError } from '../common/errors.js';

interface Limits {
  /** Most bytes of one owner. */
  perOwner: number;
  /** Most bytes of all owners together. */
  total: number;
  /** Bodies up to this size may use the whole of each limit; larger ones leave a quarter to them. */
  smallBytes: number;
}

/** The counted bytes of one body. */
export interface HeldBytes {
  /** Counts further bytes. Throws `storage_unavailable` with `Retry-After` if they exceed a limit. */
  add(bytes: number): void;
  /** Call at the end of the request: frees the bytes, unless work still needs them. May be called twice. */
  release(): void;
  /** Keeps the bytes counted until `work` settles, even if the sender hangs up before. */
  keepFor<Result>(work: Promise<Result>): Promise<Result>;
}

export class BytesInFlight {
  private readonly byOwner = new Map<string, number>();
  private total = 0;

  constructor(private readonly limits: Limits) {}

  /** Starts counting a body of `owner` that announces `expected` bytes. Throws as {@link HeldBytes.add}. */
  begin(owner: string, expected: number): HeldBytes {
    this.requireRoom(owner, expected, expected);
    // The users of the bytes: the request until its end, and each work passed to keepFor().
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
    throw new AppError('storage_unavailable', 'too many bytes in flight: retry', {
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
