import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { identityOf } from '../../src/embedded/processes.js';

const source = join(import.meta.dirname, '../../src/embedded/guard.ts');
let folder: string;

const PARENT = `
import { spawn } from 'node:child_process';
import { guardChild } from './guard.js';
const polite = spawn('sleep', ['600'], { stdio: 'ignore', detached: true });
const stubborn = spawn('/bin/sh', ['-c', "trap '' TERM; echo ready; while :; do sleep 1; done"], { stdio: ['ignore', 'pipe', 'ignore'], detached: true });
const gone = spawn('sleep', ['600'], { stdio: 'ignore', detached: true });
for (const child of [polite, stubborn, gone]) guardChild(child, 'TERM');
gone.kill();
stubborn.stdout.once('data', () => console.log(JSON.stringify([polite.pid, stubborn.pid])));
`;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'colloquy-guard-'));
  const { outputText } = ts.transpileModule(readFileSync(source, 'utf8'), {
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023 },
  });
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  writeFileSync(join(folder, 'guard.js'), outputText);
  writeFileSync(join(folder, 'parent.js'), PARENT);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('guardChild', () => {
  it('ends every child if the parent is killed without warning', async () => {
    const parent = spawn(process.execPath, [join(folder, 'parent.js')], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    const pids = JSON.parse(line.toString()) as number[];
    expect(pids.map((pid) => identityOf(pid) !== undefined)).toEqual([true, true]);
    parent.kill('SIGKILL');
    const until = Date.now() + 8_000;
    while (Date.now() < until && pids.some((pid) => identityOf(pid) !== undefined)) await sleep(50);
    expect(pids.map((pid) => identityOf(pid))).toEqual([undefined, undefined]);
  }, 15_000);
});
