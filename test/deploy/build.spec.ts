// The production build and the image contain only the product: no simulators, benchmarks or specs.
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const read = (name: string): string => readFileSync(join(ROOT, name), 'utf8');
const PRODUCT = ['activities', 'src', 'workflows'];

/** Paths relative to the repository. test/architecture.spec.ts checks that they do not import simulators or tests. */
function compiledBy(name: string): string[] {
  const { config } = ts.readConfigFile(join(ROOT, name), (path) => ts.sys.readFile(path)) as { config: unknown };
  return ts.parseJsonConfigFileContent(config, ts.sys, ROOT).fileNames.map((path) => relative(ROOT, path));
}

describe('the production build', () => {
  it('compiles only the product', () => {
    const files = compiledBy('tsconfig.build.json');
    expect(files).toContain('src/main.ts');
    expect([...new Set(files.map((path) => path.replace(/\/.*/, '')))].sort()).toEqual(PRODUCT);
    expect(files.filter((path) => path.endsWith('.spec.ts'))).toEqual([]);
    expect(read('nest-cli.json')).toContain('"tsConfigPath": "tsconfig.build.json"');
  });

  it('uses the same folders in the image', () => {
    const copied = [...read('Dockerfile').matchAll(/^COPY (\w+) \.\/\1$/gm)].map(([, folder = '']) => folder);
    expect(copied.sort()).toEqual(PRODUCT);
    const folders = [...read('.dockerignore').matchAll(/^!(\w+)$/gm)].map(([, folder = '']) => folder);
    expect(folders.sort()).toEqual(PRODUCT);
  });
});
