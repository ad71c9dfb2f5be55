// Cleans up after an earlier PostgreSQL server in a cluster's folder.
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { commandOf, endProcess, identityOf } from '../processes.js';
import { StartError } from '../start-error.js';

/**
 * Handles the `postmaster.pid` of an earlier server. It is removed if its process has ended or the pid belongs to another
 * program, because PostgreSQL would refuse to start whenever the pid exists. Throws {@link StartError} if a server runs on the
 * folder and `running` is `refuse`, or if it does not end.
 */
export async function freeFolder(dataDir: string, running: 'refuse' | 'stop'): Promise<void> {
  const file = join(dataDir, 'postmaster.pid');
  const pid = readPid(file);
  if (pid === undefined) return;
  const isServer =
    identityOf(pid) !== undefined && commandOf(pid).includes('postgres') && commandOf(pid).includes(dataDir);
  if (!isServer) return rmSync(file, { force: true });
  if (running === 'refuse') {
    throw new StartError(
      `A PostgreSQL server (process ${pid}) already runs on ${dataDir}: stop it, or choose another folder.`,
    );
  }
  if (
    !(await endProcess(pid, [
      ['SIGINT', 6_000],
      ['SIGQUIT', 2_000],
      ['SIGKILL', 1_000],
    ]))
  ) {
    throw new StartError(
      `A PostgreSQL server (process ${pid}) left behind on ${dataDir} does not end: stop it by hand.`,
    );
  }
}

function readPid(file: string): number | undefined {
  try {
    const pid = Number.parseInt(readFileSync(file, 'utf8'), 10);
    return pid > 0 ? pid : undefined;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
