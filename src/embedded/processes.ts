// Checks whether processes of this machine are alive, and ends them reliably.
import type { ChildProcess } from 'node:child_process';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** How a process ended: a code, or the signal that killed it. */
export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** `exited with code 1`, `was killed by SIGKILL`. */
export const describeExit = (exit: Exit): string =>
  exit.signal === null ? `exited with code ${exit.code ?? 'unknown'}` : `was killed by ${exit.signal}`;

/** Resolves when the child has ended; a command that could not be started has code 127, as in a shell. */
export function exitOf(child: ChildProcess): Promise<Exit> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
    child.once('error', () => {
      if (child.pid === undefined) resolve({ code: 127, signal: null });
    });
  });
}

/**
 * Identifies a process beyond its pid, by boot id and start time. Pids are reused, above all in containers, so a lock file with
 * only a pid might name the wrong process. Undefined: there is no such process, or only a zombie.
 */
export function identityOf(pid: number): string | undefined {
  if (process.platform !== 'linux') {
    const [state, ...started] = ps(pid, 'stat=,lstart=').split(/\s+/);
    return state === undefined || state === '' || state.startsWith('Z') ? undefined : started.join(' ');
  }
  const stat = readProc(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // Field 2 is the name in parentheses, which may contain spaces; 3 is the state, 22 the start time (proc(5)).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
  return `${readProc('/proc/sys/kernel/random/boot_id')?.trim() ?? ''}:${fields[19] ?? ''}`;
}

/** The command line of a process; '' if it has ended. */
export const commandOf = (pid: number): string =>
  process.platform === 'linux' ? (readProc(`/proc/${pid}/cmdline`)?.replaceAll('\0', ' ') ?? '') : ps(pid, 'command=');

/** Whether this child was started and has not ended. */
export const isAlive = (child: ChildProcess | undefined): boolean =>
  child?.pid !== undefined && child.exitCode === null && child.signalCode === null;

/** Signals the process group of leader `pid`. False if there is none. */
export const signalGroup = (pid: number, signal: NodeJS.Signals): boolean => signalOne(-pid, signal);

/** Sends the signals one after the other (SIGKILL to the group), each followed by its wait in ms. True once the process has ended. */
export async function endProcess(pid: number, steps: readonly (readonly [NodeJS.Signals, number])[]): Promise<boolean> {
  const identity = identityOf(pid);
  const gone = (): boolean => identity === undefined || identityOf(pid) !== identity;
  for (const [signal, waitMs] of steps) {
    if (gone()) return true;
    if (signal !== 'SIGKILL' || !signalGroup(pid, signal)) signalOne(pid, signal);
    for (const until = Date.now() + waitMs; Date.now() < until && !gone();) await sleep(20);
  }
  return gone();
}

function signalOne(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false;
    throw error;
  }
}

const ps = (pid: number, columns: string): string =>
  spawnSync('ps', ['-o', columns, '-p', String(pid)], { encoding: 'utf8' }).stdout?.trim() ?? '';

function readProc(path: string): string | undefined {
  try {
    return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
  } catch (error) {
    // The process ended between the two calls.
    if (error instanceof Error && 'code' in error && (error.code === 'ESRCH' || error.code === 'ENOENT'))
      return undefined;
    throw error;
  }
}
