// Describes the machine of a run: hardware, versions, load, and the speed of fdatasync.
import { closeSync, fdatasyncSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { median, percentile, rounded } from './statistics.js';

export interface Machine {
  cpu: string;
  cores: number;
  memoryGb: number;
  kernel: string;
  node: string;
}

export const machine = (): Machine => ({
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: cpus().length,
  memoryGb: Math.round(totalmem() / 2 ** 30),
  kernel: release(),
  node: process.version,
});

/** Load average of the last minute per core: 0 is idle, 1 is full. */
export const loadPerCore = (): number => rounded((loadavg()[0] ?? 0) / cpus().length);

/** Share of all cores' time in use, measured over `ms`: 0 to 1. Unlike the load average it ignores the past. */
export async function busyShare(ms = 2_000): Promise<number> {
  const before = coreTimes();
  await sleep(ms);
  const after = coreTimes();
  return rounded(1 - (after.idle - before.idle) / (after.all - before.all));
}

function coreTimes(): { idle: number; all: number } {
  const times = cpus().map(({ times: one }) => one);
  const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);
  return { idle: sum(times.map(({ idle }) => idle)), all: sum(times.flatMap((one) => Object.values(one))) };
}

export interface DiskSpeed {
  /** Durable writes of 8 kB per second by one writer. */
  perSecond: number;
  medianMs: number;
  p99Ms: number;
}

const BLOCK = Buffer.alloc(8192, 1);

/** Repeatedly writes 8 kB and calls fdatasync, for `durationMs`, in a temporary file in `folder`. */
export function fdatasyncSpeed(folder: string, durationMs = 1_000): DiskSpeed {
  const path = join(folder, 'fdatasync-probe');
  const file = openSync(path, 'w');
  const times: number[] = [];
  try {
    // Like a WAL file, it is allocated in advance: only data is written, no metadata.
    for (let block = 0; block < 64; block += 1) writeSync(file, BLOCK);
    fdatasyncSync(file);
    const until = performance.now() + durationMs;
    for (let now = performance.now(); now < until;) {
      writeSync(file, BLOCK, 0, BLOCK.length, (times.length % 64) * BLOCK.length);
      fdatasyncSync(file);
      const then = performance.now();
      times.push(then - now);
      now = then;
    }
  } finally {
    closeSync(file);
    rmSync(path, { force: true });
  }
  const totalMs = times.reduce((sum, ms) => sum + ms, 0);
  return {
    perSecond: Math.round((times.length * 1000) / totalMs),
    medianMs: rounded(median(times)),
    p99Ms: rounded(percentile(times, 0.99)),
  };
}

/** Text of a file in /proc; null if there is no /proc or the process has ended. */
export function readProc(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // Not Linux, or the process has just ended: the measurement is not reported then.
    return null;
  }
}
