// Who is the parent decides: npm's end ends it, that of a shell which started it in the background does not.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it } from 'vitest';
import { identityOf } from '../../src/embedded/processes.js';
import { REPOSITORY } from './support/checkout.js';

/** Tells its pid, then when its parent is gone; ends by itself three looks later. */
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

/** What the program says after the shell that started it in the background is gone, until it ends. */
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
  it('ends it by one signal, when it is npm', async () => {
    const said = await orphaned({ npm_lifecycle_event: 'up' });
    expect(said).toEqual(['orphan', '  npm, which started this, has ended', 'stopping']);
  });

  it.each<Record<string, string>>([{}, { npm_lifecycle_event: 'services' }])(
    'does not end it with %o, when it is another',
    async (env) => {
      expect(await orphaned(env)).toEqual(['orphan']);
    },
  );
});
