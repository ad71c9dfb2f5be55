// Runs PostgreSQL 18 as a child process, for `npm run up` and for tests.
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { guardChild } from '../guard.js';
import { freePort } from '../ports.js';
import { OWNER, passwordOf, prepareOwner } from './postgres-owner.js';
import { postgresBinaries } from './postgres-binaries.js';
import type { Cluster } from './postgres-cluster.js';
import { openCluster, POSTGRES_ENV, SUPERUSER } from './postgres-cluster.js';
import { freeFolder } from './postgres-leftover.js';
import type { Exit } from '../processes.js';
import { describeExit, endProcess, exitOf, isAlive } from '../processes.js';
import { StartError } from '../start-error.js';

export interface PostgresOptions {
  /** The cluster's folder; created if absent. */
  dataDir: string;
  /** Default: a free port. */
  port?: number;
  /** File that the server's log is appended to. Default: `<dataDir>.log`. */
  log?: string;
  /** False turns fsync off, for tests only: a power failure loses the cluster. */
  durable?: boolean;
  /** Databases that exist after the start. */
  databases?: readonly string[];
  /** What to do with a server that still runs on the folder. Use `stop` only while holding the folder's lock. */
  running?: 'refuse' | 'stop';
  /** Called with every server process right after it was spawned. */
  onSpawn?: (child: ChildProcess) => void;
}

export interface EmbeddedPostgres {
  port: number;
  process: ChildProcess;
  /** Superuser connection string for one database. */
  url(database: string): string;
  /** Password of the databases' owner, or of a login that the migrations create. */
  passwordOf(login: string): string;
  exited: Promise<Exit>;
  /** Fast shutdown, then immediate, then SIGKILL; resolves within about `deadlineMs` (default 8,000). */
  stop(deadlineMs?: number): Promise<void>;
}

const ATTEMPTS = 3;
const READY_MS = 60_000;

/**
 * Starts PostgreSQL on 127.0.0.1 and resolves when it answers and its databases exist.
 * Throws {@link StartError} if the folder is in use or of another version, or the server does not start.
 */
export async function startPostgres(options: PostgresOptions): Promise<EmbeddedPostgres> {
  const dataDir = resolve(options.dataDir);
  const binaries = postgresBinaries();
  await freeFolder(dataDir, options.running ?? 'refuse');
  const cluster = await openCluster({ dataDir, binaries, durable: options.durable ?? true });
  for (let attempt = 1; ; attempt += 1) {
    const launched = await launch({ ...options, dataDir, postgres: binaries.postgres, cluster });
    if ('server' in launched) {
      const { server } = launched;
      const databases = options.databases ?? ['colloquy', 'colloquy_keystore', 'colloquy_search'];
      await prepareOwner((database) => server.url(database), databases, server.passwordOf(OWNER));
      return server;
    }
    // Retry: another process took the port, or children of a killed server still hold its shared memory.
    if (attempt === ATTEMPTS) throw new StartError(`PostgreSQL did not start: ${launched.reason}.`);
    await sleep(500);
  }
}

interface Launch extends PostgresOptions {
  postgres: string;
  cluster: Cluster;
}

async function launch(options: Launch): Promise<{ server: EmbeddedPostgres } | { reason: string }> {
  const { dataDir, cluster } = options;
  const port = options.port ?? (await freePort());
  const log = options.log ?? `${dataDir}.log`;
  const { child, logStart } = spawnServer(options, port, log);
  const exited = exitOf(child);
  const url = (database: string): string => `postgres://${SUPERUSER}:${cluster.password}@127.0.0.1:${port}/${database}`;
  const stop = async (deadlineMs = 8_000): Promise<void> => {
    const steps = [
      ['SIGINT', deadlineMs * 0.7] as const,
      ['SIGQUIT', deadlineMs * 0.2] as const,
      ['SIGKILL', 1_000] as const,
    ];
    if (child.pid !== undefined) await endProcess(child.pid, steps);
    await exited;
  };
  const ready = await Promise.race([exited, answers(url('postgres'), child)]);
  const passwords = (login: string): string => passwordOf(login, cluster.password);
  if (ready === true) return { server: { port, process: child, url, passwordOf: passwords, exited, stop } };
  await stop();
  const how = ready === false ? `no answer within ${READY_MS / 1000} s` : `it ${describeExit(ready)}`;
  return { reason: `${how}${errorIn(log, logStart)}; its log is ${log}` };
}

function spawnServer(options: Launch, port: number, log: string): { child: ChildProcess; logStart: number } {
  const { dataDir, cluster, durable = true } = options;
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: '200',
    timezone: 'UTC',
    log_timezone: 'UTC',
    // Statements and error details contain personal values.
    log_error_verbosity: 'terse',
    log_min_error_statement: 'panic',
    ...(durable ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
  };
  const args = ['-D', dataDir, '-p', String(port)];
  for (const [name, value] of Object.entries(settings)) args.push('-c', `${name}=${value}`);
  const [command = '', ...rest] = [...cluster.runAs.prefix, options.postgres, ...args];
  mkdirSync(dirname(log), { recursive: true, mode: 0o700 });
  const output = openSync(log, 'a', 0o600);
  const logStart = statSync(log).size;
  // Its own process group: Ctrl-C in the terminal must not stop the server before its users.
  const stdio = ['ignore', output, output] as const;
  const child = spawn(command, rest, {
    ...cluster.runAs.ids,
    cwd: '/',
    env: POSTGRES_ENV,
    stdio: [...stdio],
    detached: true,
  });
  closeSync(output);
  guardChild(child, 'INT');
  options.onSpawn?.(child);
  return { child, logStart };
}

async function answers(url: string, child: ChildProcess): Promise<boolean> {
  for (const until = Date.now() + READY_MS; isAlive(child) && Date.now() < until; await sleep(50)) {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
    client.on('error', () => undefined);
    try {
      await client.connect();
      return true;
    } catch {
      // Not listening yet, or recovering; the caller also waits for the server's exit.
    } finally {
      await client.end().catch(() => undefined);
    }
  }
  return false;
}

function errorIn(log: string, from: number): string {
  const lines = readFileSync(log).subarray(from).toString('utf8').split('\n');
  const line = lines.findLast((text) => /FATAL|PANIC|cannot|error/i.test(text));
  return line === undefined ? '' : ` (${line.replace(/^.*?(?=FATAL|PANIC)/, '').trim()})`;
}

/** Connection string of a login for one database; valid once the login's password is set. */
export function urlAs(
  { url, passwordOf: passwords }: Pick<EmbeddedPostgres, 'url' | 'passwordOf'>,
  login: string,
  database: string,
): string {
  const as = new URL(url(database));
  [as.username, as.password] = [login, passwords(login)];
  return as.toString();
}
