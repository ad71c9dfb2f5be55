// Imports between files and between folders are acyclic, including imports of types.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { cruise, type ICruiseResult } from 'dependency-cruiser';
import extractTSConfig from 'dependency-cruiser/config-utl/extract-ts-config';
import { describe, expect, it } from 'vitest';
import { circlesOf, grouped, type Graph } from './support/circles.js';

const ROOT = resolve(import.meta.dirname, '..');
const FOLDERS = ['src', 'workflows', 'activities', 'simulators'];

async function importsIn(baseDir: string): Promise<Graph> {
  const options = {
    baseDir,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '\\.spec\\.ts$|^test/|node_modules' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { conditionNames: ['import', 'require', 'node', 'default', 'types'] },
  };
  const tsConfig = extractTSConfig(join(ROOT, 'tsconfig.json'));
  const folders = FOLDERS.filter((folder) => baseDir === ROOT || folder === 'src');
  const { modules } = (await cruise(folders, options, undefined, { tsConfig })).output as ICruiseResult;
  return new Map(modules.map(({ source, dependencies }) => [source, new Set(dependencies.map((to) => to.resolved))]));
}

/** Each folder of `src/` and each other top-level folder counts as one group, each file directly in `src/` as its own. */
function folderOf(file: string): string {
  const [top = '', next = '', ...rest] = file.split('/');
  if (top !== 'src') return top;
  return rest.length === 0 ? file : `src/${next}`;
}

describe('imports', () => {
  it('form no circle of files or folders', async () => {
    const graph = await importsIn(ROOT);
    expect(graph.size).toBeGreaterThan(200);
    expect(circlesOf(graph)).toEqual([]);
    expect(circlesOf(grouped(graph, folderOf))).toEqual([]);
  });

  it('are found to be circular even if only a type import closes the circle', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'colloquy-circles-'));
    const write = (path: string, text: string): void => {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    };
    write('src/one/a.ts', "import { b } from '../two/b.js';\nexport type A = typeof b;\n");
    write('src/two/b.ts', "import { c } from './c.js';\nexport const b = c;\n");
    write('src/two/c.ts', 'export const c = 1;\n');
    write('src/two/d.ts', "import type { A } from '../one/a.js';\nexport type D = A;\n");
    write('src/three/e.ts', "import { f } from './f.js';\nexport const e = f;\n");
    write('src/three/f.ts', "import type { e } from './e.js';\nexport type F = typeof e;\nexport const f = 1;\n");
    try {
      const graph = await importsIn(folder);
      expect(circlesOf(graph)).toEqual([['src/three/e.ts', 'src/three/f.ts']]);
      expect(circlesOf(grouped(graph, folderOf))).toEqual([['src/one', 'src/two']]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
