// Small file systems that can be full, for tests that run as root.
import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const PIECE = 64 * 1024;

/** A tmpfs of the given size. */
export class TmpfsDisk {
  private readonly filler: string;

  /** Mounts it. Throws `NoRoom` if mounting is not permitted. */
  constructor(
    readonly folder: string,
    megabytes: number,
  ) {
    mkdirSync(folder, { recursive: true });
    const options = ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=0700`, 'colloquy-battery', folder];
    const { status, stderr, error } = spawnSync('mount', options, { encoding: 'utf8' });
    if (status !== 0) throw new NoRoom(error?.message ?? stderr.trim());
    this.filler = join(folder, 'filler');
  }

  /** Uses up all free space except `spare` bytes. */
  fill(spare = 0): void {
    const file = openSync(this.filler, 'w');
    const zeros = Buffer.alloc(PIECE);
    for (let left = this.free() - spare; left > 0; left -= PIECE) writeSync(file, zeros, 0, Math.min(PIECE, left));
    closeSync(file);
  }

  /** Frees the used-up space. */
  empty(): void {
    rmSync(this.filler, { force: true });
  }

  /** Free space in bytes. */
  free(): number {
    const { bavail, bsize } = statfsSync(this.folder);
    return bavail * bsize;
  }

  unmount(): void {
    spawnSync('umount', ['--lazy', this.folder]);
  }
}

/** Full disks cannot be tested on this machine. */
export class NoRoom extends Error {
  constructor(why: string) {
    super(
      `A small tmpfs cannot be mounted here (${why}), so full disks cannot be tested: run this as root where mounting is ` +
        'permitted, or skip these tests with COLLOQUY_BATTERY_DISKS=off.',
    );
  }
}
