// `npm run up`: installs and builds what is missing, then runs dist/src/up.js. The files of this folder use Node's built-in
// modules only: they run on a bare checkout.
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { make, missing } from './build.mjs';
import { listen, stopListening } from './npm.mjs';
import { stopWithNpm } from './parent.mjs';
import { checkEarly } from './preflight.mjs';
import { Sentence } from './sentence.mjs';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const OLDEST_NODE = [20, 19];

const HELP = `Usage: npm run up

Installs and builds what is missing, then starts Colloquy with everything embedded: PostgreSQL, Temporal, API, worker
and simulated Retell and ElevenLabs workspaces with traffic. Ctrl-C stops all of it; the next start finds its data again.

Settings (environment):
  PORT                     port of the API (default 3000; 0: a free one)
  COLLOQUY_DATA_DIR        folder that holds all data (default .data)
  COLLOQUY_SIMULATORS      on | off (default on)
  COLLOQUY_BOOTSTRAP_KEY, COLLOQUY_BOOTSTRAP_READ_KEY   keys of your own instead of made ones
  DATABASE_URL, KEYSTORE_DATABASE_URL, SEARCH_DATABASE_URL
                                                        a PostgreSQL of yours instead of the embedded one
  TEMPORAL_ADDRESS         a Temporal server of yours instead of the embedded one
  TEMPORAL_CLI_PATH        the temporal program, when it is not on PATH
  COLLOQUY_METRICS_PORT, COLLOQUY_WORKER_METRICS_PORT   ports of /metrics of API and worker (default: free ones, printed)
  LOG_LEVEL                fatal | error | warn | info | debug | trace | silent

Example: PORT=3001 COLLOQUY_DATA_DIR=/var/lib/colloquy npm run up
`;

async function main(args) {
  if (args.includes('--help') || args.includes('-h')) return void process.stdout.write(HELP);
  if (args.length > 0) throw new Sentence(`Unknown argument ${args[0]}: see "npm run up -- --help".`);
  checkNode();
  const wanted = missing(ROOT, process.env);
  if (wanted.builds.length > 0) await checkEarly(ROOT, process.env);
  await make(ROOT, wanted);
  stopListening();
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

listen();
process.stdout.on('error', () => undefined);
stopWithNpm();

try {
  await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error instanceof Sentence ? error.message : `Colloquy did not start: ${error.message}`}\n`);
  process.exitCode = 1;
}
process.exit();
