// Child processes of a benchmark: our built programs, and parts of the harness with a process of their own.
import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { guardChild } from '../src/embedded/guard.js';
import { endProcess, exitOf, isAlive } from '../src/embedded/processes.js';

const STOP = [['SIGTERM', 9_000] as const, ['SIGKILL', 1_000] as const];
const READY_MS = 60_000;

export interface Program {
  pid: number;
  stop: () => Promise<void>;
}

const built = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));

const pidOf = (child: ChildProcess, name: string): number => {
  if (child.pid === undefined) throw new Error(`${name} could not be started`);
  guardChild(child, 'TERM');
  return child.pid;
};

async function stopped(child: ChildProcess, pid: number): Promise<void> {
  if (isAlive(child)) await endProcess(pid, STOP);
}

interface Start {
  name: 'main' | 'worker' | 'cli';
  env: Record<string, string>;
  args?: string[];
  /** For Node itself, such as `--cpu-prof`. */
  nodeOptions?: string[];
}

/** Runs a program until it ends. Throws with its output if it fails. */
export async function runProgram({ name, env, args = [] }: Start): Promise<void> {
  const child = spawn(process.execPath, [built(`src/${name}.js`), ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const output = listen(child);
  const { code } = await exitOf(child);
  if (code !== 0) throw new Error(`${name} failed: ${output()}`);
}

/** Starts a program; resolves once its output matches `ready`. */
export async function startProgram({ name, env, nodeOptions = [] }: Start, ready: RegExp): Promise<Program> {
  const stdio = ['ignore', 'pipe', 'pipe'] as const;
  const child = spawn(process.execPath, [...nodeOptions, built(`src/${name}.js`)], { env, stdio: [...stdio] });
  const pid = pidOf(child, name);
  const output = listen(child);
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${name} was not ready in time: ${output()}`)), READY_MS);
    child.once('exit', () => reject(new Error(`${name} ended: ${output()}`)));
    child.stdout.on('data', () => {
      if (!ready.test(output())) return;
      clearTimeout(timer);
      resolve();
    });
  });
  return { pid, stop: () => stopped(child, pid) };
}

/** Keeps the last 4,000 characters of a program's output, to explain failures. */
function listen(child: ChildProcess): () => string {
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => (output = `${output}${String(chunk)}`.slice(-4_000)));
  }
  return () => output;
}

/** A prepared part of the harness in its own process. */
export interface Part<Ready, Result> extends Program {
  ready: Ready;
  /** Starts the measurement; resolves with its result. */
  go: () => Promise<Result>;
}

/** Starts `bench/<module>.js` in its own process, sends it `plan`, and waits until it is prepared. */
export async function startPart<Ready, Result>(module: string, plan: unknown): Promise<Part<Ready, Result>> {
  const child = fork(built(`bench/${module}.js`), [], { serialization: 'advanced' });
  const pid = pidOf(child, module);
  child.send({ plan });
  const ready = (await answer(child, module)) as Ready;
  const go = async (): Promise<Result> => {
    child.send({ go: true });
    return (await answer(child, module)) as Result;
  };
  return { pid, ready, go, stop: () => stopped(child, pid) };
}

/** Starts a part, runs its measurement, and stops it. */
export async function runPart<Result>(module: string, plan: unknown): Promise<Result> {
  const part = await startPart<unknown, Result>(module, plan);
  try {
    return await part.go();
  } finally {
    await part.stop();
  }
}

async function answer(child: ChildProcess, module: string): Promise<unknown> {
  const gone = exitOf(child).then(() => {
    throw new Error(`${module} ended before it answered`);
  });
  const [message] = (await Promise.race([once(child, 'message'), gone])) as [{ value?: unknown; error?: string }];
  gone.catch(() => undefined);
  if (message.error !== undefined) throw new Error(`${module}: ${message.error}`);
  return message.value;
}
