// docs/benchmarks.md, drawn from bench/results: the page never says what was not measured.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import type { Benchmark } from './benchmark.js';
import { goalText, valueText } from './report.js';
import { isMet, readResult, type Result } from './results.js';

export const PAGE = 'docs/benchmarks.md';

const INTRODUCTION = `<!-- Drawn by \`npm run bench -- --record\` from bench/results. Do not edit by hand. -->

# How fast it is

Every figure compares Colloquy with the limit of the machine, measured in the same run, in turn (A B A B …); the ratio of each pair, their median, least and most. Absolute times depend on the machine and mean little; ratios travel. What each benchmark compares, and why that is fair, stands at the head of its file in \`bench/\`.

\`\`\`sh
npm run bench -- B1            # one benchmark; --help tells the rest
npm run bench -- --short       # all, each within about 40 s
\`\`\`

A benchmark starts its own Postgres (durable: fsync on), its own Temporal with a database on disk, and our processes as built, on free ports and in a folder of its own, and removes all of it. It refuses a busy machine unless told \`--force\`. CPU times a request and every single round are in the JSON. Where a goal is missed, [decision 0013](decisions/0013-first-figures.md) says where the time goes and what the next step would cost.
`;

const MET: Record<string, string> = { true: 'met', false: '**missed**', null: '' };

function rowsOf({ name, figures }: Result): string[] {
  return figures.map((figure, index) => {
    const verdict = MET[String(isMet(figure))] ?? '';
    return `| ${index === 0 ? name : ''} | ${figure.what} | ${valueText(figure)} | ${goalText(figure)} | ${verdict} |`;
  });
}

function conditionsOf({ name, title, machine, at, busy, fdatasync, notes, flags, figures }: Result): string {
  const versions = [machine.postgres, machine.temporal, `Node ${machine.node}`].filter((text) => text !== null);
  const disk = `fdatasync ${fdatasync.perSecond} a second (median ${fdatasync.medianMs} ms, p99 ${fdatasync.p99Ms} ms)`;
  const others = `others used ${Math.round(busy * 100)} % of the cores before`;
  const rounds = `${figures[0]?.rounds.length ?? 0} rounds`;
  const facts = [
    `${at.slice(0, 10)}, ${rounds}, ${machine.cores} × ${machine.cpu}, ${machine.memoryGb} GB, Linux ${machine.kernel}; ${others}; ${disk}.`,
    `${versions.join(' · ')}.`,
    ...notes,
    ...flags.map((flag) => `Less certain: ${flag}.`),
  ];
  return [`### ${name} ${title}`, '', ...facts.map((fact) => `- ${fact}`)].join('\n');
}

/** The page; benchmarks without a recorded result are left out. */
export function page(results: Result[]): string {
  const table = ['| | What | Median (least–most) | Goal | |', '|---|---|---|---|---|', ...results.flatMap(rowsOf)];
  return [INTRODUCTION, table.join('\n'), '', '## Conditions', '', results.map(conditionsOf).join('\n\n'), ''].join(
    '\n',
  );
}

export const recorded = (folder: string, benchmarks: Pick<Benchmark, 'name'>[]): Result[] =>
  benchmarks.flatMap(({ name }) => readResult(folder, 'full', name) ?? []);

export function writeTable(folder: string, benchmarks: Benchmark[]): void {
  writeFileSync(PAGE, page(recorded(folder, benchmarks)));
  // Columns of a table are as wide as their widest cell: that is prettier's work, as for every other file.
  spawnSync('npx', ['prettier', '--write', PAGE, folder], { stdio: 'ignore' });
}
