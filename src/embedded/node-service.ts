// Runs our own Node programs as services of the supervisor.
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { closeSync, existsSync, fstatSync, mkdirSync, openSync, readSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { guardChild } from './guard.js';
import { describeExit, endProcess, exitOf, isAlive } from './processes.js';
import { StartError } from './start-error.js';
import type { Service } from './supervisor.js';

const OUTPUT_BYTES = 1024 * 1024;

export interface NodeServiceOptions {
  name: string;
  /** Arguments of `node`: script first. */
  args: readonly string[];
  env: NodeJS.ProcessEnv;
  log: string;
  stopMs: number;
  /** See {@link Service}. */
  together?: Service['stop']['together'];
  /** Called every 100 ms with the output so far. */
  isReady: (output: string, runningMs: number) => boolean | Promise<boolean>;
  readyMs?: number;
}

/** A Node program that writes to a log file, so that it does not depend on the supervisor's terminal. */
export function nodeService(options: NodeServiceOptions): Service {
  const { name, log } = options;
  let from = 0;
  const output = (): string => readFrom(log, from);
  return {
    name,
    log,
    stop: { signal: 'SIGTERM', waitMs: options.stopMs, ...(options.together && { together: options.together }) },
    lastError: () => lastError(output()),
    start: async (onSpawn) => {
      mkdirSync(dirname(log), { recursive: true, mode: 0o700 });
      const file = openSync(log, 'a', 0o600);
      from = statSync(log).size;
      const stdio = ['ignore', file, file] as const;
      const child = spawn(process.execPath, options.args, { env: options.env, stdio: [...stdio], detached: true });
      closeSync(file);
      guardChild(child, 'TERM');
      onSpawn(child);
      const exit = await Promise.race([exitOf(child), untilReady(options, output, child)]);
      if (exit === 'ready') return;
      if (exit !== 'late') throw startError(options, `it ${describeExit(exit)}`, output());
      if (child.pid !== undefined)
        await endProcess(child.pid, [['SIGTERM', 1_000] as const, ['SIGKILL', 1_000] as const]);
      throw startError(options, `it was not ready within ${readyMs(options) / 1000} s`, output());
    },
  };
}

/** The content of a log from a position on, at most its last MiB; '' if it was removed. */
function readFrom(log: string, from: number): string {
  if (!existsSync(log)) return '';
  const file = openSync(log, 'r');
  try {
    const { size } = fstatSync(file);
    const start = Math.max(from, size - OUTPUT_BYTES);
    const bytes = Buffer.alloc(Math.max(0, size - start));
    return bytes.toString('utf8', 0, readSync(file, bytes, 0, bytes.length, start));
  } finally {
    closeSync(file);
  }
}

const readyMs = (options: NodeServiceOptions): number => options.readyMs ?? 60_000;

async function untilReady(
  options: NodeServiceOptions,
  output: () => string,
  child: ChildProcess,
): Promise<'ready' | 'late'> {
  const begun = Date.now();
  while (isAlive(child) && Date.now() - begun < readyMs(options)) {
    if (await options.isReady(output(), Date.now() - begun)) return 'ready';
    await sleep(100);
  }
  return 'late';
}

function startError({ name, log }: NodeServiceOptions, how: string, output: string): StartError {
  const words = lastError(output);
  return new StartError(`${name} did not start: ${how}${words === undefined ? '' : `: ${words}`} (its log is ${log}).`);
}

/** The last error in a log of JSON lines and plain text, without stack; otherwise its last line of plain text. */
export function lastError(output: string): string | undefined {
  const lines = output.split('\n').filter((line) => line.trim() !== '');
  const error = lines.map(errorIn).findLast((words) => words !== undefined);
  return (error ?? lines.findLast((line) => !line.startsWith('{')))?.trim().slice(0, 300);
}

function errorIn(line: string): string | undefined {
  if (!line.startsWith('{')) return /^(\w*Error|FATAL|PANIC)\b.*|^error: .*/i.exec(line)?.[0];
  try {
    const entry = JSON.parse(line) as { level?: number; msg?: string; err?: { message?: string } };
    if ((entry.level ?? 0) < 50) return undefined;
    return [entry.msg, entry.err?.message].filter((part, index, all) => part && all.indexOf(part) === index).join(': ');
  } catch {
    // The line was truncated when the process died.
    return undefined;
  }
}
