// If the parent is npm, its end ends `up`; the end of a shell that started it in the background does not.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it } from 'vitest';
import { identityOf } from '../../src/embedded/processes.js';
import { REPOSITORY } from './support/checkout.js';

/** Prints its pid, then a line when its parent is gone; ends by itself 1.6 s later. */
const PROGRAM = `
import { stopWithNpm } from ${JSON.stringify(join(REPOSITORY, 'bin/parent.mjs'))};
process.on('SIGTERM', () => console.log('stopping'));
const parent = process.ppid;
stopWithNpm();
console.log(process.pid);
const timer = setInterval(() => {
  if (process.ppid === parent) return;
  clearInterval(timer);
  console.log('orphan');
  setTimeout(() => process.exit(), 1600);
}, 20);
`;

/** What the program prints after the end of the shell that started it in the background. */
async function orphaned(env: Record<string, string>): Promise<string[]> {
  const script = `"$NODE" --input-type=module -e "$PROGRAM" & read -r _`;
  const shell = spawn('/bin/sh', ['-c', script], {
    env: { NODE: process.execPath, PROGRAM, ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: shell.stdout })[Symbol.asyncIterator]();
  const pid = Number((await lines.next()).value);
  expect(identityOf(pid)).toBeDefined();
  shell.kill('SIGKILL');
  const said: string[] = [];
  for await (const line of { [Symbol.asyncIterator]: () => lines }) said.push(line);
  return said;
}

describe('the parent of npm run up', { timeout: 15_000 }, () => {
  it('ends it with one signal if it is npm', async () => {
    const said = await orphaned({ npm_lifecycle_event: 'up' });
    expect(said).toEqual(['orphan', '  npm, which started this, has ended', 'stopping']);
  });

  it.each<Record<string, string>>([{}, { npm_lifecycle_event: 'services' }])(
    'does not end it with %o if it is another program',
    async (env) => {
      expect(await orphaned(env)).toEqual(['orphan']);
    },
  );
});
