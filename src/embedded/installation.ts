// Starts a whole installation: databases, Temporal, migrations, API, worker, simulators.
import { join } from 'node:path';
import { parseConfig, type Config } from '../config/config.js';
import { bootstrapKeys } from './bootstrap-keys.js';
import { takeDataFolder } from './data-folder.js';
import type { DataFolder } from './data-folder.js';
import { demoPorts, egressEntries, prepareAccounts, type DemoPorts } from './demo/demo-accounts.js';
import { findTranscript, simulatorService, TRAFFIC } from './demo/demo.js';
import { ownApi } from './demo/own-api.js';
import { freePort, portState } from './ports.js';
import { runStep } from './run-step.js';
import { apiService, postgresService, temporalService, workerService } from './services.js';
import { StartError } from './start-error.js';
import type { Summary } from './summary.js';
import { Supervisor } from './supervisor.js';
import { databaseSettings, type DatabaseSettings, type DatabaseUrls } from './postgres/database-settings.js';
import { findTemporalCli } from './temporal/temporal-cli.js';
import { ensureRootKey } from '../vault/open-vault.js';

export interface InstallationOptions {
  /** The checkout, with `dist/` built. */
  root: string;
  config: Config;
  /** Environment of the child processes. */
  env: NodeJS.ProcessEnv;
  report: (line: string) => void;
}

const TRANSCRIPT_WAIT_MS = 20_000;

export class Installation {
  readonly supervisor: Supervisor;
  private folder: DataFolder | undefined;
  private readonly begun = Date.now();

  constructor(private readonly options: InstallationOptions) {
    this.supervisor = new Supervisor({
      report: options.report,
      onChange: (children) => this.folder?.record(children),
    });
  }

  /** Starts every part for which the settings name no server. Throws {@link StartError}. */
  async start(): Promise<Summary> {
    const { config, report } = this.options;
    givenDatabases(config);
    const folder = (this.folder = await takeDataFolder(config.dataDir, report));
    const port = await this.ownPort();
    const cli = config.temporal.address === undefined ? await this.temporalCli() : undefined;
    const keys = bootstrapKeys(config);
    const databases = await this.startPostgres(folder);
    const temporal = await this.startTemporal(folder, cli);
    const apiUrl = `http://127.0.0.1:${port}`;
    // Chosen here also for 0: a port that a process chooses itself would change when it is restarted.
    const metricsPorts = {
      api: config.metricsPort || (await freePort()),
      worker: config.workerMetricsPort || (await freePort()),
    };
    const ports = config.simulators ? await demoPorts(config.dataDir) : undefined;
    const env = {
      ...this.options.env,
      ...(ports && allowing(this.options.env, ports)),
      ...databases.owner,
      ...temporal,
      // Local only, without a load balancer, so no draining: the programs have 8 s to end.
      HOST: '127.0.0.1',
      COLLOQUY_DRAIN_SECONDS: '0',
      PORT: String(port),
      COLLOQUY_DATA_DIR: config.dataDir,
      COLLOQUY_BOOTSTRAP_KEY: keys.admin,
      COLLOQUY_BOOTSTRAP_READ_KEY: keys.read,
      COLLOQUY_METRICS_PORT: String(metricsPorts.api),
      COLLOQUY_WORKER_METRICS_PORT: String(metricsPorts.worker),
    };
    folder.recordServers(parseConfig(env));
    await this.startOwn({ folder, env, databases, apiUrl });
    if (ports) await this.startSimulators({ folder, env, apiUrl, ports, adminKey: keys.admin });
    const traffic = config.simulators ? TRAFFIC : undefined;
    const transcriptPath = await this.firstTranscript(apiUrl, keys.read);
    const temporalUiUrl = temporal.TEMPORAL_UI_URL;
    const { dataDir } = config;
    const tookMs = Date.now() - this.begun;
    return {
      apiUrl,
      temporalUiUrl,
      metricsPorts,
      keys,
      dataDir,
      transcriptPath,
      tookMs,
      traffic,
    };
  }

  /** Ends all children, newest first, and releases the folder. */
  async stop(): Promise<void> {
    await this.supervisor.stop();
    this.folder?.release();
  }

  /** Like {@link stop}, without waiting. */
  async kill(): Promise<void> {
    await this.supervisor.kill();
    this.folder?.release();
  }

  private async ownPort(): Promise<number> {
    const { port } = this.options.config;
    if (port === 0) return await freePort();
    const state = await portState(port);
    if (state === 'free') return port;
    const why = state === 'EADDRINUSE' ? 'in use' : `unavailable (${state})`;
    throw new StartError(`Port ${port} is ${why}: choose another one, for example "PORT=${port + 1} npm run up".`);
  }

  private async temporalCli(): Promise<string> {
    const { root, config, env, report } = this.options;
    const cacheDir = join(root, '.cache', 'temporal');
    const { path, source } = await findTemporalCli({ cliPath: config.temporal.cliPath, env, cacheDir, report });
    report(`the temporal program is ${path} (${source})`);
    return path;
  }

  private async startPostgres(folder: DataFolder): Promise<DatabaseSettings> {
    const { dataDir } = this.options.config;
    const given = givenDatabases(this.options.config);
    if (given !== null) return { owner: given, api: given, worker: given, migrate: {} };
    const service = postgresService(dataDir, folder.log('postgres'));
    await this.step('PostgreSQL', async () => await this.supervisor.start(service));
    return databaseSettings(service.current());
  }

  private async startTemporal(
    folder: DataFolder,
    binary: string | undefined,
  ): Promise<{ TEMPORAL_ADDRESS?: string; TEMPORAL_UI_URL?: string }> {
    const { temporal, dataDir } = this.options.config;
    if (binary === undefined) return temporal.uiUrl === undefined ? {} : { TEMPORAL_UI_URL: temporal.uiUrl };
    const service = temporalService({ dataDir, binary, namespace: temporal.namespace, log: folder.log('temporal') });
    await this.step('Temporal', async () => await this.supervisor.start(service));
    const { address, uiUrl } = service.current();
    return { TEMPORAL_ADDRESS: address, ...(uiUrl === undefined ? {} : { TEMPORAL_UI_URL: uiUrl }) };
  }

  private async startOwn(options: {
    folder: DataFolder;
    env: NodeJS.ProcessEnv;
    databases: DatabaseSettings;
    apiUrl: string;
  }): Promise<void> {
    const { folder, env, databases, apiUrl } = options;
    const { root, config } = this.options;
    const migrate = { name: 'The migration', args: [join(root, 'dist/src/cli.js'), 'migrate'] };
    await this.step(
      'migrations',
      async () =>
        await this.supervisor.runOnce((onSpawn) =>
          runStep({ ...migrate, env: { ...env, ...databases.migrate }, onSpawn }),
        ),
    );
    const keystoreUrl = databases.owner.KEYSTORE_DATABASE_URL;
    await ensureRootKey({ keystoreUrl, rootKeyFile: config.rootKeyFile });
    const api = apiService({ root, env: { ...env, ...databases.api }, log: folder.log('api') }, apiUrl);
    const worker = workerService(
      { root, env: { ...env, ...databases.worker }, log: folder.log('worker') },
      config.logLevel,
    );
    // In parallel: neither needs the other to start.
    await Promise.all([
      this.step('the API', async () => await this.supervisor.start(api)),
      this.step('the worker', async () => await this.supervisor.start(worker)),
    ]);
  }

  private async startSimulators(options: {
    folder: DataFolder;
    env: NodeJS.ProcessEnv;
    apiUrl: string;
    ports: DemoPorts;
    adminKey: string;
  }): Promise<void> {
    const { folder, env, apiUrl, ports, adminKey } = options;
    const { root, config } = this.options;
    await this.step('the simulators', async () => {
      const accounts = await prepareAccounts(config.dataDir, ports, ownApi(apiUrl, adminKey));
      const log = folder.log('simulators');
      // They play external providers, so they get no access to our databases.
      const own = { ...env, DATABASE_URL: undefined, KEYSTORE_DATABASE_URL: undefined, SEARCH_DATABASE_URL: undefined };
      const service = simulatorService({ root, dataDir: config.dataDir, accounts, apiUrl, env: own, log });
      await this.supervisor.start(service);
    });
  }

  private async firstTranscript(apiUrl: string, readKey: string): Promise<string | undefined> {
    const { config, report } = this.options;
    if (config.simulators) report('waiting for the first transcript');
    return await findTranscript(ownApi(apiUrl, readKey), config.simulators ? TRANSCRIPT_WAIT_MS : 0);
  }

  private async step(name: string, work: () => Promise<void>): Promise<void> {
    const begun = Date.now();
    this.options.report(`starting ${name}`);
    await work();
    this.options.report(`${name} ready after ${((Date.now() - begun) / 1000).toFixed(1)} s`);
  }
}

/** Adds the simulators to the allowed hosts. */
const allowing = ({ COLLOQUY_EGRESS_ALLOW: listed }: NodeJS.ProcessEnv, ports: DemoPorts) => ({
  COLLOQUY_EGRESS_ALLOW: [...(listed ? [listed] : []), ...egressEntries(ports)].join(','),
});

/** The databases that the settings name; null: none of them. Throws {@link StartError} when they name some and not others. */
function givenDatabases(config: Config): DatabaseUrls | null {
  const urls = {
    DATABASE_URL: config.databaseUrl,
    KEYSTORE_DATABASE_URL: config.keystoreDatabaseUrl,
    SEARCH_DATABASE_URL: config.searchDatabaseUrl,
  };
  const [given] = Object.entries(urls).flatMap(([name, url]) => (url === undefined ? [] : [name]));
  if (given === undefined) return null;
  const missing = Object.entries(urls).flatMap(([name, url]) => (url === undefined ? [name] : []));
  if (missing.length === 0) return urls as DatabaseUrls;
  throw new StartError(
    `${given} is set and ${missing.join(' and ')} is not: set all three databases, or none of them for an embedded PostgreSQL.`,
  );
}
