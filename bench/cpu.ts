// CPU time and memory of processes, from /proc (Linux; elsewhere 0, and not reported).
import { readdirSync } from 'node:fs';
import { readProc } from './machine.js';

/** USER_HZ of Linux on every architecture that Node runs on. */
const MS_PER_TICK = 10;

interface Stat {
  parent: number;
  /** User and system time, of itself and of children that have ended, in milliseconds. */
  cpuMs: number;
}

function statOf(pid: number): Stat | null {
  const text = readProc(`/proc/${pid}/stat`);
  if (text === null) return null;
  // Field 2 is the name in parentheses, which may contain spaces (proc(5)): count from its end.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return { parent: Number(fields[1]), cpuMs: ticks * MS_PER_TICK };
}

const isPid = (name: string): boolean => /^\d+$/.test(name);

/** CPU milliseconds that these processes and all their descendants have used so far. */
export function cpuMsOf(roots: readonly number[]): number {
  if (process.platform !== 'linux') return 0;
  const stats = new Map<number, Stat>();
  for (const pid of readdirSync('/proc').filter(isPid).map(Number)) {
    const stat = statOf(pid);
    if (stat !== null) stats.set(pid, stat);
  }
  const belongs = (pid: number): boolean => {
    for (let at = pid; at > 1; at = stats.get(at)?.parent ?? 0) if (roots.includes(at)) return true;
    return false;
  };
  let total = 0;
  for (const [pid, { cpuMs }] of stats) if (belongs(pid)) total += cpuMs;
  return total;
}

/** Resident memory of one process in megabytes: now, and the most since its start. */
export function memoryMbOf(pid: number): { now: number; peak: number } {
  const text = readProc(`/proc/${pid}/status`) ?? '';
  const read = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) / 1024;
  return { now: read('VmRSS'), peak: read('VmHWM') };
}
