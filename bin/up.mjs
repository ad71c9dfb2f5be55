// `npm run up`: installs and builds what is missing, then runs dist/src/up.js. Node built-ins only: it runs on a bare checkout.
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stopWithNpm } from './parent.mjs';
import { checkEarly, Sentence } from './preflight.mjs';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const OLDEST_NODE = [20, 19];
const SOURCES = ['src', 'workflows', 'activities', 'simulators'];
const BUILD_FILES = ['package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json', 'nest-cli.json'];
const STAMP = join(ROOT, 'dist', '.built');

const HELP = `Usage: npm run up

Installs and builds what is missing, then starts Colloquy with everything embedded: PostgreSQL, Temporal, API, worker
and simulated Retell and ElevenLabs workspaces with traffic. Ctrl-C stops all of it; the next start finds its data again.

Settings (environment):
  PORT                     port of the API (default 3000; 0: a free one)
  COLLOQUY_DATA_DIR        folder that holds all data (default .data)
  COLLOQUY_SIMULATORS      on | off (default on)
  COLLOQUY_BOOTSTRAP_KEY, COLLOQUY_BOOTSTRAP_READ_KEY   keys of your own instead of made ones
  DATABASE_URL, KEYSTORE_DATABASE_URL                   a PostgreSQL of yours instead of the embedded one
  TEMPORAL_ADDRESS         a Temporal server of yours instead of the embedded one
  TEMPORAL_CLI_PATH        the temporal program, when it is not on PATH
  COLLOQUY_METRICS_PORT, COLLOQUY_WORKER_METRICS_PORT   ports of /metrics of API and worker (default: free ones, printed)
  LOG_LEVEL                fatal | error | warn | info | debug | trace | silent

Example: PORT=3001 COLLOQUY_DATA_DIR=/var/lib/colloquy npm run up
`;

let child;
let interrupted = false;

async function main(args) {
  if (args.includes('--help') || args.includes('-h')) return void process.stdout.write(HELP);
  if (args.length > 0) throw new Sentence(`Unknown argument ${args[0]}: see "npm run up -- --help".`);
  checkNode();
  const install = needsInstall();
  const build = install || needsBuild();
  if (build) await checkEarly(ROOT, process.env);
  if (install) await run('installing packages', ['ci', '--no-progress'], 'npm ci');
  if (build) {
    const builtAt = new Date();
    await run('building', ['run', 'build', '--silent'], 'npm run build');
    writeFileSync(STAMP, builtAt.toISOString());
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.off(signal, interrupt);
  const { up } = await import('../dist/src/up.js');
  process.exitCode = await up({ root: ROOT, env: process.env });
}

function checkNode() {
  const found = process.versions.node.split('.').map(Number);
  const difference = OLDEST_NODE.map((part, index) => found[index] - part).find((delta) => delta !== 0) ?? 0;
  if (difference >= 0) return;
  throw new Sentence(
    `Node ${process.versions.node} is too old: Colloquy needs Node ${OLDEST_NODE.join('.')} or later.`,
  );
}

/** By the list that npm keeps of what it installed; its time alone says nothing after a checkout. */
function needsInstall() {
  const installed = join(ROOT, 'node_modules', '.package-lock.json');
  const wanted = join(ROOT, 'package-lock.json');
  if (!existsSync(installed)) return true;
  if (statSync(installed).mtimeMs >= statSync(wanted).mtimeMs) return false;
  const present = JSON.parse(readFileSync(installed, 'utf8')).packages;
  return Object.entries(JSON.parse(readFileSync(wanted, 'utf8')).packages).some(
    ([path, entry]) => path !== '' && !entry.optional && present[path]?.version !== entry.version,
  );
}

function needsBuild() {
  if (!existsSync(STAMP) || !existsSync(join(ROOT, 'dist', 'src', 'up.js'))) return true;
  const builtMs = Date.parse(readFileSync(STAMP, 'utf8'));
  const files = [
    ...SOURCES.flatMap((folder) => filesIn(join(ROOT, folder))),
    ...BUILD_FILES.map((name) => join(ROOT, name)),
  ];
  return files.some((file) => existsSync(file) && statSync(file).mtimeMs > builtMs);
}

function filesIn(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return filesIn(path);
    return entry.name.endsWith('.spec.ts') ? [] : [path];
  });
}

/** Runs npm in a group of its own, so that an interruption reaches all of it; shows its output only when it fails. */
async function run(what, args, command) {
  const begun = Date.now();
  const seconds = () => ((Date.now() - begun) / 1000).toFixed(0);
  process.stdout.write(`  ${what} ("${command}") …\n`);
  const npm = process.env.npm_execpath;
  const [program, rest] = npm?.endsWith('.js') ? [process.execPath, [npm, ...args]] : ['npm', args];
  child = spawn(program, rest, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (bytes) => (output = (output + bytes).slice(-20_000)));
  const ticker = setInterval(() => process.stdout.write(`  … still ${what}, ${seconds()} s\n`), 10_000);
  const code = await new Promise((done) => {
    child.once('error', () => done('could not be started'));
    child.once('close', (exit, signal) => done(exit === 0 ? undefined : `exited with ${signal ?? exit}`));
  });
  clearInterval(ticker);
  child = undefined;
  if (interrupted) process.exit(130);
  if (code !== undefined) {
    process.stderr.write(output);
    throw new Sentence(
      `${what[0].toUpperCase()}${what.slice(1)} failed: "${command}" ${code}; its last output is above.`,
    );
  }
  process.stdout.write(`  ${what} took ${seconds()} s\n`);
}

function interrupt() {
  interrupted = true;
  if (child === undefined) process.exit(130);
  const { pid } = child;
  killGroup(pid, 'SIGTERM');
  setTimeout(() => killGroup(pid, 'SIGKILL'), 3_000).unref();
}

function killGroup(pid, signal) {
  try {
    process.kill(-pid, signal);
  } catch {
    // Gone already.
  }
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, interrupt);
process.stdout.on('error', () => undefined);
stopWithNpm();

try {
  await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error instanceof Sentence ? error.message : `Colloquy did not start: ${error.message}`}\n`);
  process.exitCode = 1;
}
process.exit();
