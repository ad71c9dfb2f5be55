// Runs one benchmark with its conditions: how busy the machine is, how fast its disk is, which figures are uncertain.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { spawnSync } from 'node:child_process';
import { postgresBinaries } from '../src/embedded/postgres/postgres-binaries.js';
import { findTemporalCli } from '../src/embedded/temporal/temporal-cli.js';
import type { Benchmark } from './benchmark.js';
import { busyShare, fdatasyncSpeed, loadPerCore, machine } from './machine.js';
import type { Figure, Result } from './results.js';

/** If more of the cores' time than this is in use before the start, the machine is busy. */
const QUIET = 0.1;
/** How long to wait for a quiet machine, for example after the previous benchmark. */
const MAX_WAIT_MS = 60_000;

/** Tolerated deviation of rounds, as a share of the median. */
const SPREAD = 0.25;

interface Settings {
  short: boolean;
  gate: boolean;
  force: boolean;
  pairs?: string;
  profile?: string;
  mode: Result['mode'];
  say: (line: string) => void;
}

/** Throws if the machine is busy, unless forced or used as a gate, which repeats doubtful measurements. */
export async function measured(benchmark: Benchmark, settings: Settings): Promise<Result> {
  const before = await waitUntilQuiet(settings);
  const isBusy = before > QUIET;
  if (isBusy && !settings.force && !settings.gate)
    throw new Error(`the machine is busy (${percent(before)} of its cores): wait, or measure with --force`);
  const fdatasync = measureDisk();
  settings.say(`${benchmark.name} ${benchmark.title} · fdatasync ${fdatasync.perSecond} a second`);
  const pairs = Number(settings.pairs ?? (settings.short ? 3 : 5));
  const { say, short, profile: profileDir, mode } = settings;
  const { figures, notes } = await benchmark.run({ short, pairs, profileDir, say });
  return {
    name: benchmark.name,
    title: benchmark.title,
    mode,
    at: new Date().toISOString(),
    machine: { ...machine(), ...(await versions(benchmark)) },
    busy: before,
    load: loadPerCore(),
    fdatasync,
    figures,
    notes,
    flags: [
      ...(isBusy ? [`the machine was busy before: ${percent(before)} of its cores`] : []),
      ...figures.flatMap(unsteady),
    ],
  };
}

/** Waits until the machine is quiet, for a minute at most. Returns the busy share. */
async function waitUntilQuiet({ force, say }: Settings): Promise<number> {
  for (const until = Date.now() + (force ? 0 : MAX_WAIT_MS); ;) {
    const share = await busyShare();
    if (share <= QUIET || Date.now() >= until) return share;
    say(`waiting: others use ${percent(share)} of the cores`);
  }
}

const percent = (share: number): string => `${Math.round(share * 100)} %`;

const unsteady = ({ what, median, min, max }: Figure): string[] =>
  max - min > 2 * SPREAD * median ? [`${what}: rounds lie ${min} to ${max}, more than ±25 % apart`] : [];

function measureDisk(): Result['fdatasync'] {
  const folder = mkdtempSync(join(tmpdir(), 'colloquy-bench-disk-'));
  try {
    return fdatasyncSpeed(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function versions({ needsTemporal }: Benchmark): Promise<{ postgres: string; temporal: string | null }> {
  const versionOf = (path: string): string => spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout.trim();
  const postgres = versionOf(postgresBinaries().postgres);
  if (!needsTemporal) return { postgres, temporal: null };
  const { env } = process;
  const options = {
    cliPath: env['TEMPORAL_CLI_PATH'],
    env,
    cacheDir: resolve('.cache/temporal'),
    report: () => undefined,
  };
  return { postgres, temporal: versionOf((await findTemporalCli(options)).path) };
}
