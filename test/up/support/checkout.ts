// A separate checkout for tests of `npm run up`, with the code that `npm test` has compiled and its own data folder.
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export const REPOSITORY = join(import.meta.dirname, '../../..');
/** Settings that keep a program from resolving names, whatever network the machine has. */
export const OFFLINE = { NODE_OPTIONS: `--require ${join(import.meta.dirname, 'offline.cjs')}` };
/** Compiled by the script `pretest`. */
const COMPILED = join(REPOSITORY, '.test');
/** Epoch seconds, older than every build. */
export const LONG_AGO = 1_000_000_000;

export interface Run {
  process: ChildProcess;
  stdout(): string;
  stderr(): string;
  /** Resolves with the exit code. */
  ended: Promise<number | null>;
  /** Waits until stdout matches. Throws with all output if the process ends first, or after `timeoutMs`. */
  says(pattern: RegExp, timeoutMs?: number): Promise<RegExpExecArray>;
}

export class Checkout {
  readonly dir = mkdtempSync(join(tmpdir(), 'colloquy-up-'));
  readonly dataDir = join(this.dir, '.data');
  private readonly runs: Run[] = [];

  constructor() {
    for (const result of ['dist/src/up.js', 'simulators/main.js']) {
      if (!existsSync(join(COMPILED, result)))
        throw new Error(`run "npm run pretest" first: .test/${result} is missing`);
    }
    for (const name of ['bin', 'package.json', 'package-lock.json']) {
      cpSync(join(REPOSITORY, name), join(this.dir, name), { recursive: true });
      utimesSync(join(this.dir, name), LONG_AGO, LONG_AGO);
    }
    this.isBuilt('dist', join(COMPILED, 'dist'), ['src', 'workflows', 'activities']);
    const simulators = join(COMPILED, 'simulators');
    this.isBuilt('.cache/simulators-build', simulators, readdirSync(simulators));
    for (const name of ['node_modules', '.cache/temporal']) symlinkSync(join(REPOSITORY, name), join(this.dir, name));
  }

  /** Makes the folder look built a second ago: file times have a resolution of some milliseconds. */
  private isBuilt(folder: string, compiled: string, names: string[]): void {
    mkdirSync(join(this.dir, folder), { recursive: true });
    for (const name of names) symlinkSync(join(compiled, name), join(this.dir, folder, name));
    writeFileSync(join(this.dir, folder, '.built'), new Date(Date.now() - 1_000).toISOString());
  }

  /** Starts `bin/up.mjs` without the environment of the tests. */
  up(env: Record<string, string> = {}, args: string[] = []): Run {
    return this.run(process.execPath, ['bin/up.mjs', ...args], env);
  }

  /** Starts it as users do; the process is npm. */
  npmRunUp(env: Record<string, string> = {}): Run {
    return this.run('npm', ['run', 'up'], { ...env, npm_config_update_notifier: 'false' });
  }

  private run(program: string, args: string[], env: Record<string, string>): Run {
    const { PATH = '', HOME = '' } = process.env;
    const child = spawn(program, args, {
      cwd: this.dir,
      env: { PATH, HOME, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const ended = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
    const says = async (pattern: RegExp, timeoutMs = 60_000): Promise<RegExpExecArray> => {
      for (const until = Date.now() + timeoutMs; Date.now() < until; await sleep(50)) {
        const match = pattern.exec(stdout);
        if (match !== null) return match;
        if (child.exitCode !== null) break;
      }
      throw new Error(`the output never matched ${pattern}:\n${stdout}\n${stderr}`);
    };
    const run: Run = { process: child, stdout: () => stdout, stderr: () => stderr, ended, says };
    this.runs.push(run);
    return run;
  }

  async remove(): Promise<void> {
    for (const run of this.runs) if (run.process.exitCode === null) run.process.kill('SIGTERM');
    await Promise.all(this.runs.map(({ ended }) => ended));
    rmSync(this.dir, { recursive: true, force: true });
  }
}
