#!/usr/bin/env node
// The command line for operators. Commands print what they did, one line each, and exit with 0 only if they succeeded.
import { Command } from 'commander';
import { AppError } from './common/errors.js';
import { Log } from './common/log.js';
import { config, ConfigError, required, type Config } from './config/config.js';
import { createDataSource } from './database/data-source.js';
import { WorkerDatabase } from './database/database.js';
import { setPasswords } from './database/logins.js';
import { earlierVersionMessage, migrationState } from './database/migration-state.js';
import { searchDataSource } from './database/search/search-data-source.js';
import { SearchDatabase } from './database/search/search-database.js';
import { runningOn } from './embedded/lock.js';
import { wakeAll } from './outbox/wake.js';
import { requestRebuild } from './search/request-rebuild.js';
import { SearchState } from './search/search-state.js';
import { kindsOf } from './temporal/registry.js';
import { isAway, isRefused, SEARCH_ATTRIBUTE_NAMES } from './temporal/search-attributes.js';
import { setUpTemporal, withWorkflowClient } from './temporal/with-workflow-client.js';
import { keystoreDataSource } from './vault/keystore/keystore-data-source.js';
import { createRootKey } from './vault/open-vault.js';

const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function migrate(settings: Config): Promise<void> {
  const sources = {
    content: createDataSource({ url: required(settings.databaseUrl, 'DATABASE_URL'), role: 'owner', poolSize: 1 }),
    keystore: keystoreDataSource(required(settings.keystoreDatabaseUrl, 'KEYSTORE_DATABASE_URL')),
    search: searchDataSource({
      url: required(settings.searchDatabaseUrl, 'SEARCH_DATABASE_URL'),
      role: 'owner',
      poolSize: 1,
    }),
  };
  try {
    // Check all of them before changing any.
    for (const [name, source] of Object.entries(sources)) {
      await source.initialize();
      if ((await migrationState(source)).isFromEarlierVersion) throw new ConfigError(earlierVersionMessage(name));
    }
    for (const [name, source] of Object.entries(sources)) {
      const done = await source.runMigrations();
      await setPasswords(source, settings.loginPasswords);
      say(done.length === 0 ? `${name}: up to date` : `${name}: ${done.length} migrations applied`);
    }
  } finally {
    for (const source of Object.values(sources)) if (source.isInitialized) await source.destroy();
  }
}

async function rebuildSearch({ searchDatabaseUrl }: Config): Promise<void> {
  const url = required(searchDatabaseUrl, 'SEARCH_DATABASE_URL');
  const search = new SearchDatabase(searchDataSource({ url, role: 'colloquy_search_worker', poolSize: 1 }));
  try {
    await requestRebuild(new SearchState(search), say);
  } finally {
    await search.close();
  }
}

async function initKeys({ rootKeyFile }: Config): Promise<void> {
  await createRootKey(rootKeyFile);
  say(`root key created: ${rootKeyFile}. Keep a copy elsewhere: without it, no content can ever be read again`);
}

async function wake(settings: Config): Promise<void> {
  const url = required(settings.databaseUrl, 'DATABASE_URL');
  const database = new WorkerDatabase(createDataSource({ url, role: 'colloquy_worker', poolSize: 2 }));
  try {
    await database.dataSource.initialize();
    await withWorkflowClient(settings, new Log(settings.logLevel), (workflows) =>
      wakeAll({ database, workflows, kinds: kindsOf(settings), say }),
    );
  } finally {
    await database.close();
  }
}

async function setup(settings: Config): Promise<void> {
  const all = SEARCH_ATTRIBUTE_NAMES.join(', ');
  try {
    const added = await setUpTemporal(settings);
    say(added.length === 0 ? `search attributes: ${all} exist` : `search attributes: ${added.join(', ')} registered`);
  } catch (error) {
    if (isAway(error)) throw new ConfigError(`Temporal at ${settings.temporal.address} does not answer`);
    if (!isRefused(error)) throw error;
    // For example Temporal Cloud, which has its own tools for this.
    throw new ConfigError(
      `Temporal refused to register search attributes: add ${all} of type Keyword to namespace ${settings.temporal.namespace} with its own tools`,
    );
  }
}

/** The settings. If they name no server, those of the installation that `npm run up` runs on the data folder. */
function settings(): Config {
  const own = config();
  const named = own.databaseUrl ?? own.keystoreDatabaseUrl ?? own.searchDatabaseUrl ?? own.temporal.address;
  const running = named === undefined ? runningOn(own.dataDir) : undefined;
  if (running === undefined) return own;
  say(`the installation that runs on ${own.dataDir} (npm run up, process ${running.pid}):`);
  return { ...own, ...running.servers, temporal: { ...own.temporal, ...running.servers.temporal } };
}

const ABOUT = `Colloquy: conversation system of record for AI agents

Commands work on the servers that DATABASE_URL, KEYSTORE_DATABASE_URL, SEARCH_DATABASE_URL and TEMPORAL_ADDRESS name; without
all of them, on the installation that "npm run up" runs on COLLOQUY_DATA_DIR (default .data).`;

const program = new Command('colloquy').description(ABOUT);
program
  .command('migrate')
  .description('create or update the tables of the content, keystore and search databases')
  .action(() => migrate(settings()));
program
  .command('setup')
  .description("register search attributes in Temporal's namespace; workers do this too if Temporal allows it")
  .action(() => setup(settings()));
program
  .command('wake')
  .description('start missing workflows, as the worker does every hour, and try parked commands again')
  .action(() => wake(settings()));

program
  .command('keys')
  .description('manage the root key')
  .command('init')
  .description('create the root key of a new installation; fails if there is one already')
  .action(() => initKeys(settings()));

program
  .command('search')
  .description('the search database')
  .command('rebuild')
  .description('write all look-ups again from the content, while everything runs, and show the progress')
  .action(() => rebuildSearch(settings()));

try {
  await program.parseAsync();
} catch (error) {
  const isOurs = error instanceof ConfigError || error instanceof AppError;
  const message = isOurs ? error.message : error instanceof Error ? `${error.name}: ${error.message}` : 'failed';
  process.stderr.write(`${message.split('\n')[0]}\n`);
  process.exitCode = 1;
}
