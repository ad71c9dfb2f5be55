import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { guardChild } from './guard.js';
import { lastError } from './node-service.js';
import { describeExit, exitOf } from './processes.js';
import { StartError } from './start-error.js';

/** Runs a Node program until it ends. Throws {@link StartError} with its last error if it fails. */
export async function runStep(options: {
  name: string;
  args: readonly string[];
  env: NodeJS.ProcessEnv;
  onSpawn: (child: ChildProcess) => void;
}): Promise<void> {
  const child = spawn(process.execPath, options.args, {
    env: options.env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  guardChild(child, 'TERM');
  options.onSpawn(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output = (output + text).slice(-65_536)));
  }
  const exit = await exitOf(child);
  if (exit.code === 0) return;
  const words = lastError(output);
  throw new StartError(`${options.name} failed: it ${describeExit(exit)}${words === undefined ? '' : `: ${words}`}.`);
}
