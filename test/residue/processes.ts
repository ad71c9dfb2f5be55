// API and worker as in production: built programs in their own processes, with output in files.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { eventually } from '../support/eventually.js';

const BUILT = resolve('.test/dist/src');

export interface Program {
  child: ChildProcess;
  log: string;
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>;
}

/** Runs a built program with only `PATH` and `env` in its environment; its output goes to `log`. */
export function runProgram(name: string, env: Record<string, string>, log: string, args: string[] = []): Program {
  const output = openSync(log, 'a');
  const child = spawn(process.execPath, [`${BUILT}/${name}.js`, ...args], {
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', output, output],
  });
  closeSync(output);
  const exited = once(child, 'exit');
  return {
    child,
    log,
    stop: async () => {
      child.kill('SIGTERM');
      await exited;
      return child.exitCode;
    },
  };
}

/** Resolves when the log contains `line`; fails with the log if the program ends first. */
export function logged({ child, log }: Program, line: string): Promise<true> {
  return eventually(async () => {
    if (child.exitCode !== null) throw new Error(`it ended: ${readFileSync(log, 'utf8')}`);
    return readFileSync(log, 'utf8').includes(line);
  }, 30) as Promise<true>;
}
