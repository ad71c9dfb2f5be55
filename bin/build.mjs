// Decides what `npm run up` must install and build, and does it.
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { killAll, npm } from './npm.mjs';

const BUILD_FILES = ['package.json', 'package-lock.json', 'tsconfig.json'];

/** The two builds: the product, and the simulators, which are not part of it. */
const PRODUCT = {
  what: 'building',
  script: 'build',
  sources: ['src', 'workflows', 'activities', ...BUILD_FILES, 'tsconfig.build.json', 'nest-cli.json'],
  result: 'dist/src/up.js',
  stamp: 'dist/.built',
};
const SIMULATORS = {
  what: 'building the simulators',
  script: 'build:simulators',
  sources: ['simulators', ...BUILD_FILES, 'tsconfig.simulators.json'],
  result: '.cache/simulators-build/main.js',
  stamp: '.cache/simulators-build/.built',
};

/** Whether packages must be installed, and which builds are older than their sources. */
export function findMissing(root, env) {
  const install = needsInstall(root);
  const wanted = env.COLLOQUY_SIMULATORS === 'off' ? [PRODUCT] : [PRODUCT, SIMULATORS];
  return { install, builds: wanted.filter((build) => install || isStale(root, build)) };
}

/** Installs and builds what {@link findMissing} returned; builds run in parallel. */
export async function installAndBuild(root, { install, builds }) {
  if (install) await npm('installing packages', ['ci', '--no-progress'], root);
  try {
    await Promise.all(builds.map(async (build) => await run(root, build)));
  } catch (error) {
    killAll();
    throw error;
  }
}

async function run(root, { what, script, stamp }) {
  const builtAt = new Date();
  await npm(what, ['run', script, '--silent'], root);
  mkdirSync(dirname(join(root, stamp)), { recursive: true });
  writeFileSync(join(root, stamp), builtAt.toISOString());
}

/** Compares npm's list of installed packages; file times alone are not reliable after a checkout. */
function needsInstall(root) {
  const installed = join(root, 'node_modules', '.package-lock.json');
  const wanted = join(root, 'package-lock.json');
  if (!existsSync(installed)) return true;
  if (statSync(installed).mtimeMs >= statSync(wanted).mtimeMs) return false;
  const present = JSON.parse(readFileSync(installed, 'utf8')).packages;
  return Object.entries(JSON.parse(readFileSync(wanted, 'utf8')).packages).some(
    ([path, entry]) => path !== '' && !entry.optional && present[path]?.version !== entry.version,
  );
}

function isStale(root, { sources, result, stamp }) {
  if (![stamp, result].every((path) => existsSync(join(root, path)))) return true;
  const builtMs = Date.parse(readFileSync(join(root, stamp), 'utf8'));
  return sources.flatMap((path) => filesIn(join(root, path))).some((file) => statSync(file).mtimeMs > builtMs);
}

/** The file itself, or all files of a folder, without specs, which are not built; empty if absent. */
function filesIn(path) {
  if (!existsSync(path)) return [];
  if (!statSync(path).isDirectory()) return path.endsWith('.spec.ts') ? [] : [path];
  return readdirSync(path).flatMap((name) => filesIn(join(path, name)));
}
