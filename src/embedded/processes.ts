// Processes of this machine: who is alive, and how to end them for certain.
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

/** Resolves when the child is gone; a command that could not be started counts as code 127, as in a shell. */
export function exitOf(child: ChildProcess): Promise<Exit> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
    child.once('error', () => {
      if (child.pid === undefined) resolve({ code: 127, signal: null });
    });
  });
}

/**
 * What makes a process id unique: the boot and the time it was started. Pids are used again, above all in containers,
 * so a lock file that holds only a pid blames the wrong process. `undefined`: no such process, or only its zombie.
 */
export function identityOf(pid: number): string | undefined {
  if (process.platform !== 'linux') {
    const [state, ...started] = ps(pid, 'stat=,lstart=').split(/\s+/);
    return state === undefined || state === '' || state.startsWith('Z') ? undefined : started.join(' ');
  }
  const stat = readProc(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The second field is the name in parentheses and may hold spaces; state is the 3rd, start time the 22nd (proc(5)).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
  return `${readProc('/proc/sys/kernel/random/boot_id')?.trim() ?? ''}:${fields[19] ?? ''}`;
}

/** The command line of a process, or '' when it is gone. */
export const commandOf = (pid: number): string =>
  process.platform === 'linux' ? (readProc(`/proc/${pid}/cmdline`)?.replaceAll('\0', ' ') ?? '') : ps(pid, 'command=');

/** Whether this child was started and has not ended. */
export const isAlive = (child: ChildProcess | undefined): boolean =>
  child?.pid !== undefined && child.exitCode === null && child.signalCode === null;

/** Signals the process group that `pid` leads. False when there is none. */
export const signalGroup = (pid: number, signal: NodeJS.Signals): boolean => signalOne(-pid, signal);

/** Sends each signal in turn (SIGKILL to its group), waiting its milliseconds for the process to go. True once it is gone. */
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
