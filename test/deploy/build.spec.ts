// The production build and the image hold the product alone: no simulators, no benchmarks, no specs.
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const read = (name: string): string => readFileSync(join(ROOT, name), 'utf8');
const PRODUCT = ['activities', 'src', 'workflows'];

/** Relative to the repository. What they import, test/architecture.spec.ts watches: nobody there needs simulators or tests. */
function compiledBy(name: string): string[] {
  const { config } = ts.readConfigFile(join(ROOT, name), (path) => ts.sys.readFile(path)) as { config: unknown };
  return ts.parseJsonConfigFileContent(config, ts.sys, ROOT).fileNames.map((path) => relative(ROOT, path));
}

describe('the production build', () => {
  it('compiles the product alone', () => {
    const files = compiledBy('tsconfig.build.json');
    expect(files).toContain('src/main.ts');
    expect([...new Set(files.map((path) => path.replace(/\/.*/, '')))].sort()).toEqual(PRODUCT);
    expect(files.filter((path) => path.endsWith('.spec.ts'))).toEqual([]);
    expect(read('nest-cli.json')).toContain('"tsConfigPath": "tsconfig.build.json"');
  });

  it('is made in the image from the same folders', () => {
    const copied = [...read('Dockerfile').matchAll(/^COPY (\w+) \.\/\1$/gm)].map(([, folder = '']) => folder);
    expect(copied.sort()).toEqual(PRODUCT);
    const folders = [...read('.dockerignore').matchAll(/^!(\w+)$/gm)].map(([, folder = '']) => folder);
    expect(folders.sort()).toEqual(PRODUCT);
  });
});
