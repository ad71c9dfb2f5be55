// `colloquy keys init`, which besides `npm run up` is the only way to create a root key; and processes that find none.
import { existsSync, mkdtempSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createTestDatabases, type TestDatabases } from '../support/databases.js';
import { endPrograms, startProgram } from '../support/programs.js';

let databases: TestDatabases;
let rootKeyFile: string;

beforeAll(async () => {
  const { postgresUrl, runDir } = inject('services');
  databases = await createTestDatabases(postgresUrl);
  rootKeyFile = join(mkdtempSync(join(runDir, 'keys-')), 'secrets', 'root.key');
});
afterAll(async () => {
  endPrograms();
  await databases.drop();
});

/** Runs it to its end; returns exit code and output. */
async function run(name: 'main' | 'worker' | 'cli', ...args: string[]): Promise<[code: number | null, said: string]> {
  const own = {
    COLLOQUY_ROOT_KEY: pathToFileURL(rootKeyFile).href,
    COLLOQUY_DATA_DIR: dirname(rootKeyFile),
    PORT: '0',
  };
  const program = startProgram(name, { ...databases.settingsOf(name === 'main' ? 'api' : 'worker'), ...own }, args);
  return [await program.ended, program.said()];
}

describe('the root key of an installation', () => {
  it.each(['main', 'worker'] as const)('is not created by %s, which names the command and ends', async (name) => {
    const [code, said] = await run(name);
    expect(code).toBe(1);
    expect(said).toContain('colloquy keys init');
    expect(existsSync(rootKeyFile)).toBe(false);
  });

  it('is created by the command, readable only by its owner, and left unchanged by a second run', async () => {
    expect((await run('cli', 'keys', 'init'))[0]).toBe(0);
    expect(statSync(rootKeyFile).mode & 0o777).toBe(0o600);
    const made = readFileSync(rootKeyFile, 'utf8');
    const [code, said] = await run('cli', 'keys', 'init');
    expect([code, said]).toEqual([1, expect.stringContaining('exists already and was left unchanged')]);
    expect(readFileSync(rootKeyFile, 'utf8')).toBe(made);
  });
});
