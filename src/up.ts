// `npm run up` after the build (bin/up.mjs starts it): runs a whole installation as one process tree until a signal.
import { ConfigError, parseConfig } from './config/config.js';
import { Installation } from './embedded/installation.js';
import { StartError } from './embedded/start-error.js';
import { summaryLines } from './embedded/summary.js';

export interface UpOptions {
  /** The checkout. */
  root: string;
  env: NodeJS.ProcessEnv;
}

/** Under npm, a Ctrl-C arrives twice: from the terminal, and forwarded by npm. */
const SAME_SIGNAL_MS = 300;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Runs until a signal or a failure; leaves no process behind. Resolves with the exit code. */
export async function up({ root, env }: UpOptions): Promise<number> {
  // A closed terminal or pipe must not interrupt the shutdown.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  const report = (line: string): void => void process.stdout.write(`  ${line}\n`);
  let installation: Installation | undefined;
  try {
    const config = parseConfig(env);
    installation = new Installation({ root, config, env, report });
    return await run(installation, report);
  } catch (error) {
    await installation?.stop();
    process.stderr.write(`${sentence(error)}\n`);
    return 1;
  }
}

async function run(installation: Installation, report: (line: string) => void): Promise<number> {
  const signals = listen();
  const starting = installation.start();
  // A start interrupted by a signal fails too; that error is of no interest.
  starting.catch(() => undefined);
  const failed = installation.supervisor.failed;
  const started = await Promise.race([starting, signals.first, failed.then((reason) => new StartError(`${reason}.`))]);
  if (started instanceof StartError) throw started;
  if (typeof started === 'object') for (const line of summaryLines(started)) process.stdout.write(`${line}\n`);
  const end = typeof started === 'object' ? await Promise.race([signals.first, failed]) : started;
  if (!isSignal(end)) throw new StartError(`${end}.`);
  report(`stopping everything (${end}); repeat the signal to stop at once`);
  const begun = Date.now();
  const stopped = installation.stop().then(() => 'stopped' as const);
  if ((await Promise.race([stopped, signals.second])) !== 'stopped') {
    await installation.kill();
    return 130;
  }
  report(`stopped after ${((Date.now() - begun) / 1000).toFixed(1)} s`);
  return typeof started === 'object' ? 0 : 130;
}

type Signal = (typeof SIGNALS)[number];

const isSignal = (value: string): value is Signal => (SIGNALS as readonly string[]).includes(value);

function listen(): { first: Promise<Signal>; second: Promise<Signal> } {
  let firstAt: number | undefined;
  let resolveFirst: (signal: Signal) => void = () => undefined;
  let resolveSecond: (signal: Signal) => void = () => undefined;
  const first = new Promise<Signal>((resolve) => (resolveFirst = resolve));
  const second = new Promise<Signal>((resolve) => (resolveSecond = resolve));
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      firstAt ??= Date.now();
      if (Date.now() - firstAt > SAME_SIGNAL_MS) resolveSecond(signal);
      else resolveFirst(signal);
    });
  }
  return { first, second };
}

/** One sentence without a stack; for unexpected errors their message. */
function sentence(error: unknown): string {
  if (error instanceof StartError) return error.message;
  if (error instanceof ConfigError) return `A setting is invalid: ${error.message}.`;
  return `Colloquy stopped on an unexpected error: ${error instanceof Error ? error.message : String(error)}`;
}
