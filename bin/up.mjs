// `npm run up`: installs and builds what is missing, then runs dist/src/up.js. The files in this folder use only Node's built-in
// modules, since they run on a bare checkout.
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findMissing, installAndBuild } from './build.mjs';
import { listen, stopListening } from './npm.mjs';
import { stopWithNpm } from './parent.mjs';
import { checkEarly } from './preflight.mjs';
import { StartError } from './start-error.mjs';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const OLDEST_NODE = [20, 19];

const HELP = `Usage: npm run up

Installs and builds what is missing, then starts Colloquy with everything embedded: PostgreSQL, Temporal, API, worker
and simulated Retell and ElevenLabs workspaces with traffic. Ctrl-C stops everything; the next start uses the same data.

Settings (environment):
  PORT                     port of the API (default 3000; 0: any free port)
  COLLOQUY_DATA_DIR        folder that holds all data (default .data)
  COLLOQUY_SIMULATORS      on | off (default on)
  COLLOQUY_BOOTSTRAP_KEY, COLLOQUY_BOOTSTRAP_READ_KEY   your own keys instead of generated ones
  DATABASE_URL, KEYSTORE_DATABASE_URL, SEARCH_DATABASE_URL
                                                        your own PostgreSQL instead of the embedded one
  TEMPORAL_ADDRESS         your own Temporal server instead of the embedded one
  TEMPORAL_CLI_PATH        the temporal program, if it is not on PATH
  COLLOQUY_METRICS_PORT, COLLOQUY_WORKER_METRICS_PORT   ports for /metrics of API and worker (default: free ports)
  LOG_LEVEL                fatal | error | warn | info | debug | trace | silent

Example: PORT=3001 COLLOQUY_DATA_DIR=/var/lib/colloquy npm run up
`;

async function main(args) {
  if (args.includes('--help') || args.includes('-h')) return void process.stdout.write(HELP);
  if (args.length > 0) throw new StartError(`Unknown argument ${args[0]}: see "npm run up -- --help".`);
  checkNode();
  const missing = findMissing(ROOT, process.env);
  if (missing.builds.length > 0) await checkEarly(ROOT, process.env);
  await installAndBuild(ROOT, missing);
  stopListening();
  const { up } = await import('../dist/src/up.js');
  process.exitCode = await up({ root: ROOT, env: process.env });
}

function checkNode() {
  const found = process.versions.node.split('.').map(Number);
  const difference = OLDEST_NODE.map((part, index) => found[index] - part).find((delta) => delta !== 0) ?? 0;
  if (difference >= 0) return;
  throw new StartError(
    `Node ${process.versions.node} is too old: Colloquy needs Node ${OLDEST_NODE.join('.')} or later.`,
  );
}

listen();
process.stdout.on('error', () => undefined);
stopWithNpm();

try {
  await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error instanceof StartError ? error.message : `Colloquy did not start: ${error.message}`}\n`);
  process.exitCode = 1;
}
process.exit();
