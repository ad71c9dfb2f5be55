// One benchmark with everything around it: is the machine quiet, how fast is its disk, what is not to be trusted.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { spawnSync } from 'node:child_process';
import { postgresBinaries } from '../src/embedded/postgres/postgres-binaries.js';
import { findTemporalCli } from '../src/embedded/temporal/temporal-cli.js';
import type { Benchmark } from './benchmark.js';
import { busyShare, fdatasyncSpeed, loadPerCore, machine } from './machine.js';
import type { Figure, Result } from './results.js';

/** More of the cores' time than this in use before the start, and others are being measured as well. */
const QUIET = 0.1;
/** What the benchmark before left behind is over by then. */
const PATIENCE_MS = 60_000;

/** Of the median. */
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

/** Throws when the machine is busy, unless it is forced or a gate (which must answer, and measures again when in doubt). */
export async function measured(benchmark: Benchmark, settings: Settings): Promise<Result> {
  const before = await quietened(settings);
  const isBusy = before > QUIET;
  if (isBusy && !settings.force && !settings.gate)
    throw new Error(`the machine is busy (${percent(before)} of its cores): wait, or measure with --force`);
  const fdatasync = speedHere();
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

/** How busy the machine is, once it is quiet or patience is over. */
async function quietened({ force, say }: Settings): Promise<number> {
  for (const until = Date.now() + (force ? 0 : PATIENCE_MS); ;) {
    const share = await busyShare();
    if (share <= QUIET || Date.now() >= until) return share;
    say(`waiting: others use ${percent(share)} of the cores`);
  }
}

const percent = (share: number): string => `${Math.round(share * 100)} %`;

const unsteady = ({ what, median, min, max }: Figure): string[] =>
  max - min > 2 * SPREAD * median ? [`${what}: rounds lie ${min} to ${max}, more than ±25 % apart`] : [];

function speedHere(): Result['fdatasync'] {
  const folder = mkdtempSync(join(tmpdir(), 'colloquy-bench-disk-'));
  try {
    return fdatasyncSpeed(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function versions({ needsTemporal }: Benchmark): Promise<{ postgres: string; temporal: string | null }> {
  const said = (path: string): string => spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout.trim();
  const postgres = said(postgresBinaries().postgres);
  if (!needsTemporal) return { postgres, temporal: null };
  const { env } = process;
  const options = {
    cliPath: env['TEMPORAL_CLI_PATH'],
    env,
    cacheDir: resolve('.cache/temporal'),
    report: () => undefined,
  };
  return { postgres, temporal: said((await findTemporalCli(options)).path) };
}
