// Before a process starts: waits until both databases answer, and checks that all migrations have run.
import { setTimeout as sleep } from 'node:timers/promises';
import type { DataSource } from 'typeorm';
import { errorFields, type Log } from '../common/log.js';
import { required, type Config } from '../config/config.js';
import { createDataSource } from '../database/data-source.js';
import { isStorageUnavailable } from '../database/failures.js';
import type { ProcessName } from '../database/logins.js';
import { earlierVersionMessage, migrationState } from '../database/migration-state.js';
import { keystoreDataSource } from '../vault/keystore/keystore-data-source.js';

const WAIT_MS = 30_000;
const RETRY_MS = 1_000;

/** Ends the start of a process; the message is one sentence for the operator. */
export class StartFailure extends Error {}

/** Waits up to 30 s for each database. Throws {@link StartFailure}, or ConfigError if its URL is missing. */
export async function waitForDatabases(settings: Config, process: ProcessName, log: Log): Promise<void> {
  const url = required(settings.databaseUrl, 'DATABASE_URL');
  const keystoreUrl = required(settings.keystoreDatabaseUrl, 'KEYSTORE_DATABASE_URL');
  const content = createDataSource({ url, role: `colloquy_${process}`, poolSize: 1 });
  const keystore = keystoreDataSource(keystoreUrl, `colloquy_keystore_${process}`);
  await waitFor(content, 'content', log);
  await waitFor(keystore, 'keystore', log);
}

async function waitFor(source: DataSource, name: string, log: Log): Promise<void> {
  try {
    await connect(source, name, log);
    const { pending, isFromEarlierVersion } = await migrationState(source);
    if (isFromEarlierVersion) throw new StartFailure(earlierVersionMessage(name));
    if (pending.length === 0) return;
  } catch (error) {
    if (!NOT_MIGRATED.has(errorFields(error).code ?? '')) throw error;
    // The role does not exist or may not read the migrations table yet, or the login is not one that migrate created.
    throw new StartFailure(
      `the ${name} database is not up to date, or this process uses the wrong login: run "colloquy migrate" as the owner`,
      { cause: error },
    );
  } finally {
    if (source.isInitialized) await source.destroy();
  }
  throw new StartFailure(`the ${name} database is not up to date: run "colloquy migrate"`);
}

/** https://www.postgresql.org/docs/18/errcodes-appendix.html: invalid_parameter_value, insufficient_privilege. */
const NOT_MIGRATED = new Set(['22023', '42501']);

async function connect(source: DataSource, name: string, log: Log): Promise<void> {
  for (const until = Date.now() + WAIT_MS; ; await sleep(RETRY_MS)) {
    try {
      await source.initialize();
      return;
    } catch (error) {
      if (NOT_MIGRATED.has(errorFields(error).code ?? '')) throw error;
      if (!isStorageUnavailable(error) || Date.now() > until)
        throw new StartFailure(`the ${name} database cannot be used${codeIn(error)}`, { cause: error });
      log.warn('waiting for a database', { database: name, err: errorFields(error) });
    }
  }
}

/** SQLSTATE or system error; the message might quote the connection string. */
const codeIn = (error: unknown): string => {
  const { code } = errorFields(error);
  return code === undefined ? '' : ` (${code})`;
};
