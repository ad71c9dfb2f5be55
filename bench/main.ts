// `npm run bench -- B1`: runs benchmarks, compares with recorded results, records. Progress on stderr, results on stdout.
import { writeFileSync } from 'node:fs';
import { Command } from 'commander';
import type { Benchmark } from './benchmark.js';
import { ingest } from './b1-ingest.js';
import { visible } from './b2-visible.js';
import { lifecycle } from './b3-lifecycle.js';
import { transcripts } from './b6-transcripts.js';
import { recordings } from './b9-recordings.js';
import { neighbours } from './b12-neighbours.js';
import { measured } from './measured.js';
import { describe, isBelow } from './report.js';
import { readResult, writeResult, type Result } from './results.js';
import { writeTable } from './table.js';

const BENCHMARKS: Benchmark[] = [ingest, visible, lifecycle, transcripts, recordings, neighbours];
const RESULTS = 'bench/results';

interface Options {
  short: boolean;
  gate: boolean;
  force: boolean;
  record: boolean;
  json?: string;
  pairs?: string;
  profile?: string;
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const progress = (line: string): void => void process.stderr.write(`  ${line}\n`);

const program = new Command('bench')
  .description('Measures Colloquy and the limit alternately in one run, and reports the ratio.')
  .argument('[names...]', `benchmarks to run: ${BENCHMARKS.map(({ name }) => name).join(', ')}; default all`)
  .option('--short', 'fewer and shorter rounds, each benchmark within about 40 s', false)
  .option('--gate', 'fail if a ratio is 30 % below the recorded median, three times in a row', false)
  .option('--force', 'measure even if the machine is busy', false)
  .option('--record', 'keep the results in bench/results and draw docs/benchmarks.md anew', false)
  .option('--json <file>', 'write all results of this run to a file')
  .option('--pairs <n>', 'rounds to measure (default 5, short 3)')
  .option('--profile <folder>', 'write CPU profiles of our programs there')
  .addHelpText('after', `\n${BENCHMARKS.map(({ name, title }) => `  ${name}  ${title}`).join('\n')}`);

/** On a shared machine single measurements can be bad: a figure must stay below its limit to count. */
const GATE_ATTEMPTS = 3;

async function gated(benchmark: Benchmark, options: Options): Promise<{ result: Result; fell: boolean }> {
  const mode: Result['mode'] = options.short ? 'short' : 'full';
  const recorded = readResult(RESULTS, mode, benchmark.name);
  for (let attempt = 1; ; attempt += 1) {
    const result = await measured(benchmark, { ...options, mode, say: progress });
    const fallen = recorded === null || !options.gate ? [] : isBelow(result, recorded);
    for (const line of fallen) say(line);
    if (fallen.length === 0 || attempt === GATE_ATTEMPTS) return { result, fell: fallen.length > 0 };
  }
}

async function main(names: string[], options: Options): Promise<void> {
  const unknown = names.filter((name) => !BENCHMARKS.some((benchmark) => benchmark.name === name));
  if (unknown.length > 0) throw new Error(`there is no benchmark ${unknown.join(', ')}`);
  const results: Result[] = [];
  for (const benchmark of BENCHMARKS.filter(({ name }) => names.length === 0 || names.includes(name))) {
    const { result, fell } = await gated(benchmark, options);
    results.push(result);
    for (const line of describe(result)) say(line);
    if (fell) process.exitCode = 1;
    if (options.record) writeResult(RESULTS, result);
  }
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(results, null, 2)}\n`);
  if (options.record) writeTable(RESULTS, BENCHMARKS);
}

try {
  await program.action(main).parseAsync();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

// Pools and servers of a failed run must not keep the process alive.
process.exit();
