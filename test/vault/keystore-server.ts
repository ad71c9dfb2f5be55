// A keystore database for the tests of this folder. The only file here that starts a server.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPostgres } from '../../src/embedded/postgres/postgres.js';
import { keystoreDataSource } from '../../src/vault/keystore/keystore-data-source.js';

export interface KeystoreServer {
  url: string;
  /** Folder of the cluster; root keys of tests are stored here too. */
  folder: string;
  /** Stops the server, runs `meanwhile`, and starts it again on the same port. */
  restart(meanwhile: () => Promise<void>): Promise<void>;
  stop(): Promise<void>;
}

/** A migrated, empty keystore on a server of its own. */
export async function startKeystore(): Promise<KeystoreServer> {
  const folder = await mkdtemp(join(tmpdir(), 'colloquy-keystore-'));
  const options = { dataDir: join(folder, 'postgres'), durable: false, databases: ['keystore'] };
  let server = await startPostgres(options);
  const { port } = server;
  const url = server.url('keystore');
  await migrateKeystore(url);
  const restart = async (meanwhile: () => Promise<void>): Promise<void> => {
    await server.stop();
    await meanwhile();
    server = await startPostgres({ ...options, port });
  };
  const stop = async (): Promise<void> => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  };
  return { url, folder, restart, stop };
}

async function migrateKeystore(url: string): Promise<void> {
  const source = await keystoreDataSource(url).initialize();
  try {
    await source.runMigrations();
  } finally {
    await source.destroy();
  }
}
