// Runs Temporal's development server with a file database as a child process, for `npm run up` and for tests.
import type { ChildProcess } from 'node:child_process';
import { execFile, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { guardChild } from '../guard.js';
import { freePort, portState } from '../ports.js';
import type { Exit } from '../processes.js';
import { describeExit, endProcess, exitOf, isAlive } from '../processes.js';
import { StartError } from '../start-error.js';

/** Custom search attributes of all our workflows: ids and enums, never content. */
const SEARCH_ATTRIBUTES = ['ClientId=Keyword', 'Provider=Keyword', 'Channel=Keyword'] as const;

const DEFAULT_UI_PORT = 8233;
const READY_MS = 30_000;

export interface TemporalOptions {
  /** The CLI's path, from `findTemporalCli`. */
  binary: string;
  /** SQLite file; created if absent. */
  dbFile: string;
  /** Besides `default`, which always exists. */
  namespaces?: readonly string[];
  /** gRPC port. Default: a free port. */
  port?: number;
  /** Default: 8233 if free, otherwise a free port. `false`: no UI. */
  uiPort?: number | false;
  /** `Name=Type`. Default: those of our workflows. */
  searchAttributes?: readonly string[];
  /** File that the server's log is appended to. Default: `<dbFile>.log`. */
  log?: string;
  /** False: no fsync, for tests. */
  durable?: boolean;
  /** Called with the process right after it was spawned. */
  onSpawn?: (child: ChildProcess) => void;
}

export interface EmbeddedTemporal {
  /** host:port of gRPC. */
  address: string;
  port: number;
  uiUrl: string | undefined;
  uiPort: number | undefined;
  process: ChildProcess;
  exited: Promise<Exit>;
  /** SIGINT, then SIGKILL; resolves within about `deadlineMs` (default 5,000). */
  stop(deadlineMs?: number): Promise<void>;
}

/**
 * Starts the server on 127.0.0.1 and resolves when its gRPC answers as serving.
 * Throws {@link StartError} if it exits or does not answer within 30 s.
 */
export async function startTemporal(options: TemporalOptions): Promise<EmbeddedTemporal> {
  const dbFile = resolve(options.dbFile);
  const log = options.log ?? `${dbFile}.log`;
  const port = options.port ?? (await freePort());
  // Otherwise the readiness check would reach the other server on that port.
  if ((await portState(port)) !== 'free') throw new StartError(`Temporal did not start: port ${port} is in use.`);
  const uiPort = options.uiPort === false ? undefined : (options.uiPort ?? (await freePort(DEFAULT_UI_PORT)));
  const child = spawnServer({ ...options, dbFile }, port, uiPort, log);
  const exited = exitOf(child);
  const address = `127.0.0.1:${port}`;
  const stop = async (deadlineMs = 5_000): Promise<void> => {
    const steps = [['SIGINT', deadlineMs * 0.9] as const, ['SIGKILL', 1_000] as const];
    if (child.pid !== undefined) await endProcess(child.pid, steps);
    await exited;
  };
  const ready = await Promise.race([exited, serves(options.binary, address, child)]);
  if (ready === true) {
    const uiUrl = uiPort === undefined ? undefined : `http://127.0.0.1:${uiPort}`;
    return { address, port, uiUrl, uiPort, process: child, exited, stop };
  }
  await stop();
  const how = ready === false ? `no answer within ${READY_MS / 1000} s` : `it ${describeExit(ready)}`;
  throw new StartError(`Temporal did not start: ${how}; its log is ${log}.`);
}

function spawnServer(options: TemporalOptions, port: number, uiPort: number | undefined, log: string): ChildProcess {
  const { dbFile, namespaces = [], searchAttributes = SEARCH_ATTRIBUTES, durable = true } = options;
  // WAL with FULL is twice as fast as the default, with the same durability.
  const pragmas = ['journal_mode=WAL', `synchronous=${durable ? 'FULL' : 'OFF'}`];
  const args = [
    'server',
    'start-dev',
    '--ip=127.0.0.1',
    `--port=${port}`,
    `--db-filename=${dbFile}`,
    ...(uiPort === undefined ? ['--headless'] : ['--ui-port', String(uiPort), '--ui-disable-news-fetch']),
    ...pragmas.flatMap((pragma) => ['--sqlite-pragma', pragma]),
    ...namespaces.flatMap((namespace) => ['--namespace', namespace]),
    ...searchAttributes.flatMap((attribute) => ['--search-attribute', attribute]),
  ];
  mkdirSync(dirname(dbFile), { recursive: true, mode: 0o700 });
  mkdirSync(dirname(log), { recursive: true, mode: 0o700 });
  const output = openSync(log, 'a', 0o600);
  // Its own process group: Ctrl-C in the terminal must not stop the server before its users.
  const child = spawn(options.binary, args, {
    cwd: dirname(dbFile),
    env: cliEnv(dirname(dbFile)),
    stdio: ['ignore', output, output],
    detached: true,
  });
  closeSync(output);
  guardChild(child, 'INT');
  options.onSpawn?.(child);
  return child;
}

/** Keeps the user's environment and CLI profiles away from the server. */
const cliEnv = (home: string): NodeJS.ProcessEnv => ({ PATH: '/usr/bin:/bin', HOME: home });

async function serves(binary: string, address: string, child: ChildProcess): Promise<boolean> {
  for (const until = Date.now() + READY_MS; isAlive(child) && Date.now() < until; await sleep(100)) {
    if (await isServing(binary, address)) return true;
  }
  return false;
}

/** Uses the CLI itself, so that this module needs no Temporal client. */
function isServing(binary: string, address: string): Promise<boolean> {
  const args = ['operator', 'cluster', 'health', '--address', address, '--command-timeout', '3s'];
  return new Promise((done) => {
    execFile(binary, args, { env: cliEnv('/') }, (error, stdout) => done(error === null && stdout.includes('SERVING')));
  });
}
