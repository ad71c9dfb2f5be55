// The product's programs as real processes, built by `npm run pretest`.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { guardChild } from '../../src/embedded/guard.js';
import { forApi } from './databases.js';
import { eventually } from './eventually.js';

export interface Program {
  readonly pid: number;
  /** Its output so far, stdout and stderr. */
  said(): string;
  /** Resolves once its output contains the text; fails after `seconds` (20). */
  says(words: string, seconds?: number): Promise<unknown>;
  /** Sends the signal and waits for the exit. */
  end(signal: NodeJS.Signals): Promise<{ code: number | null; tookMs: number }>;
  /** Resolves with the exit code. */
  readonly ended: Promise<number | null>;
}

/** Enough even on a busy machine. */
const START_SECONDS = 60;

const running = new Set<() => void>();

/** Starts `src/<name>.js` with exactly this environment. */
export function startProgram(
  name: 'main' | 'worker' | 'cli',
  env: Record<string, string>,
  args: string[] = [],
): Program {
  const child = spawn(process.execPath, [resolve(`.test/dist/src/${name}.js`), ...args], {
    env: { LOG_LEVEL: 'info', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  guardChild(child, 'TERM');
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
  const ended = once(child, 'close').then(([code]: (number | null)[]) => code ?? null);
  const kill = (): void => void child.kill('SIGKILL');
  running.add(kill);
  void ended.then(() => running.delete(kill));
  return {
    pid: child.pid ?? 0,
    said: () => output,
    says: (words, seconds) =>
      eventually(async () => {
        if (!output.includes(words) && (child.exitCode ?? child.signalCode) !== null)
          throw new Error(`${name} ended before it said "${words}": ${output}`);
        return output.includes(words);
      }, seconds),
    end: async (signal) => {
      const from = Date.now();
      child.kill(signal);
      return { code: await ended, tookMs: Date.now() - from };
    },
    ended,
  };
}

/** A worker process, once it applies facts. */
export async function startWorkerProgram(env: Record<string, string>): Promise<Program> {
  const worker = startProgram('worker', env);
  await worker.says('worker ready', START_SECONDS);
  return worker;
}

/** An API process, once it listens; resolves with its base URL, too. */
export async function startApiProgram(env: Record<string, string>): Promise<Program & { url: string }> {
  const settings = Object.fromEntries(Object.entries(env).map(([name, value]) => [name, forApi(value)]));
  const api = startProgram('main', { PORT: '0', ...settings });
  await api.says('"api ready"', START_SECONDS);
  const [, port] = /"port":(\d+),"msg":"api ready"/.exec(api.said()) ?? [];
  return { ...api, url: `http://127.0.0.1:${port}` };
}

/** At the end of a spec file: ends everything that it started. */
export function endPrograms(): void {
  for (const kill of running) kill();
}
