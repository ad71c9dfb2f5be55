// Checks the import rules of .dependency-cruiser.cjs, and that these rules cover the code and detect violations.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { cruise, type ICruiseResult } from 'dependency-cruiser';
import extractDepcruiseOptions from 'dependency-cruiser/config-utl/extract-depcruise-options';
import extractTSConfig from 'dependency-cruiser/config-utl/extract-ts-config';
import { describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '..');
const FOLDERS = ['src', 'workflows', 'activities', 'simulators'];

async function violationsIn(baseDir: string): Promise<{ files: number; found: string[] }> {
  const options = await extractDepcruiseOptions(join(ROOT, '.dependency-cruiser.cjs'));
  const tsConfig = extractTSConfig(join(ROOT, 'tsconfig.json'));
  const result = await cruise(FOLDERS, { ...options, baseDir }, undefined, { tsConfig });
  const { summary } = result.output as ICruiseResult;
  return {
    files: summary.totalCruised,
    found: summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`),
  };
}

/** For each rule a file that violates it. */
const PLANTED: Record<string, { path: string; imports: string }> = {
  'workflows-are-the-ground': { path: 'workflows/bad.ts', imports: '../src/intake/intake.js' },
  'reducer-is-pure': { path: 'src/reducer/bad.ts', imports: '../intake/intake.js' },
  'outbox-knows-no-sdk': { path: 'src/outbox/bad.ts', imports: '@temporalio/client' },
  'activities-are-thin': { path: 'activities/bad.ts', imports: '../src/intake/intake.js' },
  'providers-do-not-know-each-other': { path: 'src/providers/one/bad.ts', imports: '../two/index.js' },
  'provider-folders-through-the-registry': { path: 'src/inbox/bad.ts', imports: '../providers/two/index.js' },
  'providers-are-asked-through-the-gateway': { path: 'src/providers/bad.ts', imports: './provider-apis.js' },
  'intake-through-its-surface': { path: 'src/conversations/bad.ts', imports: '../intake/batches.js' },
  'ground-knows-no-domain': { path: 'src/common/bad.ts', imports: '../intake/intake.js' },
  'facts-flow-one-way': { path: 'src/intake/intake.ts', imports: '../conversations/bad.js' },
  'simulators-play-strangers': { path: 'simulators/bad.ts', imports: '../src/intake/intake.js' },
  'egress-is-the-only-way-out': { path: 'src/recordings/bad.ts', imports: 'node:https' },
  'sdks-in-their-provider': { path: 'src/conversations/sdk.ts', imports: 'retell-sdk' },
  'tests-stay-tests': { path: 'src/intake/batches.ts', imports: '../../test/support.js' },
};

function plant(): string {
  const folder = mkdtempSync(join(tmpdir(), 'colloquy-rules-'));
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  write('src/providers/two/index.ts', 'export const two = 2;\n');
  write('src/providers/provider-apis.ts', 'export const apis = 1;\n');
  write('test/support.ts', 'export const support = 1;\n');
  write('node_modules/retell-sdk/index.js', 'export {};\n');
  write('node_modules/@temporalio/client/index.js', 'export {};\n');
  for (const { path, imports } of Object.values(PLANTED)) write(path, `import '${imports}';\nexport const x = 1;\n`);
  return folder;
}

const filesIn = (folder: string): string[] =>
  readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.m?ts$|\.mjs$/.test(entry.name))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)));

const sourceFiles = (): string[] =>
  FOLDERS.flatMap(filesIn).filter((path) => path.endsWith('.ts') && !path.endsWith('.spec.ts'));

describe('architecture', () => {
  it('keeps every import rule, with all files covered', async () => {
    const { files, found } = await violationsIn(ROOT);
    expect(found).toEqual([]);
    // With an unsupported version of TypeScript, dependency-cruiser would find no files and report no violations.
    expect(files).toBeGreaterThan(100);
    expect(files).toBeGreaterThanOrEqual(sourceFiles().length);
  });

  it('names the violated rule for each planted violation', async () => {
    const folder = plant();
    try {
      const { found } = await violationsIn(folder);
      for (const [rule, { path }] of Object.entries(PLANTED)) {
        expect(found).toContainEqual(expect.stringMatching(new RegExp(`^${rule}: ${path} -> `)));
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('has short files: none over 300 lines, half of the source under 80', () => {
    const lines = (path: string): number => readFileSync(join(ROOT, path), 'utf8').split('\n').length - 1;
    const all = [...FOLDERS, 'bench', 'test', 'bin'].flatMap(filesIn);
    expect(all.filter((path) => lines(path) > 300)).toEqual([]);
    const sizes = sourceFiles()
      .map(lines)
      .sort((a, b) => a - b);
    expect(sizes[Math.floor(sizes.length / 2)]).toBeLessThan(80);
  });

  it('reads the environment only in src/config', () => {
    const readers = sourceFiles().filter((path) => /process\.env|from 'node:process'/.test(code(path)));
    expect(readers).toEqual(['src/config/config.ts']);
  });
});

/** A file without its comments. */
const code = (path: string): string =>
  readFileSync(join(ROOT, path), 'utf8').replace(/\/\*[\s\S]*?\*\/|(^|\s)\/\/.*$/gm, '');
