// Runs npm commands for `npm run up`, and ends them when it is interrupted.
import { spawn } from 'node:child_process';
import { StartError } from './start-error.mjs';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];
/** Milliseconds between SIGTERM and SIGKILL. */
const KILL_AFTER_MS = 3_000;
const PROGRESS_MS = 10_000;
const OUTPUT_KEPT = 20_000;

const children = new Set();
let interrupted = false;

/** Until {@link stopListening}, a signal ends the running npm commands and then this process. */
export function listen() {
  for (const signal of SIGNALS) process.on(signal, interrupt);
}

/** Stops handling signals; dist/src/up.js handles them from now on. */
export function stopListening() {
  for (const signal of SIGNALS) process.off(signal, interrupt);
}

/**
 * Runs npm in its own process group, so that all of it can be interrupted. If it fails, prints its output and throws
 * {@link StartError}.
 */
export async function npm(what, args, root) {
  const command = `npm ${args.filter((arg) => !arg.startsWith('--')).join(' ')}`;
  const begun = Date.now();
  const seconds = () => ((Date.now() - begun) / 1000).toFixed(0);
  process.stdout.write(`  ${what} ("${command}") …\n`);
  const ticker = setInterval(() => process.stdout.write(`  … still ${what}, ${seconds()} s\n`), PROGRESS_MS);
  const { problem, output } = await runToEnd(args, root);
  clearInterval(ticker);
  if (interrupted) {
    if (children.size === 0) process.exit(130);
    return await new Promise(() => undefined);
  }
  if (problem !== undefined) {
    process.stderr.write(output);
    throw new StartError(
      `${what[0].toUpperCase()}${what.slice(1)} failed: "${command}" ${problem}; its last output is above.`,
    );
  }
  process.stdout.write(`  ${what} took ${seconds()} s\n`);
}

async function runToEnd(args, root) {
  const path = process.env.npm_execpath;
  const [program, rest] = path?.endsWith('.js') ? [process.execPath, [path, ...args]] : ['npm', args];
  const child = spawn(program, rest, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  children.add(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (bytes) => (output = (output + bytes).slice(-OUTPUT_KEPT)));
  const problem = await new Promise((done) => {
    child.once('error', () => done('could not be started'));
    child.once('close', (exit, signal) => done(exit === 0 ? undefined : `exited with ${signal ?? exit}`));
  });
  children.delete(child);
  return { problem, output };
}

/** Ends all running npm commands; used if a parallel build has failed. */
export function killAll() {
  for (const { pid } of children) killGroup(pid, 'SIGTERM');
}

function interrupt() {
  interrupted = true;
  if (children.size === 0) process.exit(130);
  const pids = [...children].map(({ pid }) => pid);
  for (const pid of pids) killGroup(pid, 'SIGTERM');
  setTimeout(() => {
    for (const pid of pids) killGroup(pid, 'SIGKILL');
  }, KILL_AFTER_MS).unref();
}

function killGroup(pid, signal) {
  try {
    process.kill(-pid, signal);
  } catch {
    // It has ended already.
  }
}
