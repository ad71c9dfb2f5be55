// An installation for one benchmark: durable Postgres and Temporal, our built processes, clients, accounts and two keys, in a
// folder and on ports of its own. Everything is removed at the end, also after a failure.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Pool } from 'pg';
import { newSecret } from '../src/access/api-key-secret.js';
import { freePort } from '../src/embedded/ports.js';
import { startPostgres, type EmbeddedPostgres } from '../src/embedded/postgres/postgres.js';
import { findTemporalCli } from '../src/embedded/temporal/temporal-cli.js';
import { startTemporal, type EmbeddedTemporal } from '../src/embedded/temporal/temporal.js';
import { cpuMsOf } from './cpu.js';
import { runProgram, startProgram, type Program } from './programs.js';

/** Database of the other side of a comparison. */
export const BARE_DATABASE = 'bare';

export const BARE_NAMESPACE = 'bare';

/** The key with which the simulated Retell signs. */
export const RETELL_KEY = 'key_bench';

/** The address of a provider that is never called. */
const NOBODY = 'http://127.0.0.1:9';

interface Options {
  temporal: boolean;
  /** Additional settings of our programs. */
  env?: Record<string, string>;
  /** Folder for CPU profiles of our programs. */
  profileDir?: string | undefined;
  say: (line: string) => void;
}

export class Environment {
  api: Program | undefined;
  worker: Program | undefined;
  readonly sql: Pool;
  private readonly closers: (() => Promise<unknown>)[] = [];
  /** host:port pairs to which our programs may send requests. */
  private readonly allowed = [new URL(NOBODY).host];

  private constructor(
    readonly dir: string,
    readonly postgres: EmbeddedPostgres,
    readonly temporal: EmbeddedTemporal | undefined,
    readonly port: number,
    readonly keys: { admin: string; read: string },
    private readonly options: Options,
  ) {
    this.sql = new Pool({ connectionString: postgres.url('colloquy'), max: 4 });
    this.sql.on('error', () => undefined); // if interrupted, the server ends first
  }

  /** Starts Postgres and, if needed, Temporal, and migrates; starts none of our programs yet. */
  static async start(options: Options): Promise<Environment> {
    const dir = mkdtempSync(join(tmpdir(), 'colloquy-bench-'));
    const removed = (): void => rmSync(dir, { recursive: true, force: true });
    let postgres: EmbeddedPostgres | undefined;
    try {
      const databases = ['colloquy', 'colloquy_keystore', 'colloquy_search', BARE_DATABASE];
      postgres = await startPostgres({ dataDir: join(dir, 'postgres'), durable: true, databases });
      const temporal = options.temporal ? await temporalIn(dir, options.say) : undefined;
      const keys = { admin: newSecret(), read: newSecret() };
      const environment = new Environment(dir, postgres, temporal, await freePort(), keys, options);
      await runProgram({ name: 'cli', args: ['migrate'], env: environment.env() });
      await runProgram({ name: 'cli', args: ['keys', 'init'], env: environment.env() });
      return environment;
    } catch (error) {
      await postgres?.stop();
      removed();
      throw error;
    }
  }

  /** Settings of our programs: the defaults, but without a rate limit, because one key sends all requests. */
  env(): Record<string, string> {
    return {
      PATH: '/usr/bin:/bin',
      NODE_ENV: 'production',
      PORT: String(this.port),
      COLLOQUY_DATA_DIR: this.dir,
      DATABASE_URL: this.postgres.url('colloquy'),
      KEYSTORE_DATABASE_URL: this.postgres.url('colloquy_keystore'),
      SEARCH_DATABASE_URL: this.postgres.url('colloquy_search'),
      // Nothing listens there: a benchmark without workflows runs as if Temporal were unavailable.
      TEMPORAL_ADDRESS: this.temporal?.address ?? '127.0.0.1:9',
      COLLOQUY_BOOTSTRAP_KEY: this.keys.admin,
      COLLOQUY_BOOTSTRAP_READ_KEY: this.keys.read,
      COLLOQUY_RATE_LIMIT: '0',
      COLLOQUY_EGRESS_ALLOW: this.allowed.join(','),
      // All load is on one account; its provider limit is not what is measured.
      COLLOQUY_PROVIDER_RATE: '10000',
      ...this.options.env,
    };
  }

  /** Allows requests to a simulated provider, for programs that start afterwards. */
  allow(url: string): void {
    this.allowed.push(new URL(url).host);
  }

  async startApi(): Promise<void> {
    this.api = await startProgram({ name: 'main', ...this.launch() }, /api ready/);
  }

  async startWorker(): Promise<void> {
    this.worker = await startProgram({ name: 'worker', ...this.launch() }, /worker ready/);
  }

  /** Stops what must not affect the measurement: the worker, and Temporal, which is never quite idle. */
  async stopWorker(): Promise<void> {
    await this.worker?.stop();
    await this.temporal?.stop();
  }

  /** Registers something to close with this environment, before the databases. */
  onClose(close: () => Promise<unknown>): void {
    this.closers.push(close);
  }

  /** Calls our API. Throws unless the response is 2xx. */
  async call<Body>(method: 'GET' | 'POST', path: string, body?: object): Promise<Body> {
    const response = await fetch(`http://127.0.0.1:${this.port}${path}`, {
      method,
      headers: { authorization: `Bearer ${this.keys.admin}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${await response.text()}`);
    return (await response.json()) as Body;
  }

  /** Creates a client with a Retell account; `baseUrl`: the address of the simulated Retell. */
  async account(baseUrl = NOBODY): Promise<Account> {
    const client = await this.call<{ id: string }>('POST', '/v1/clients', { name: 'Benchmark' });
    const account = await this.call<{ id: string }>('POST', '/v1/provider-accounts', {
      provider: 'retell',
      name: 'Benchmark',
      client_id: client.id,
      api_key: RETELL_KEY,
      base_url: baseUrl,
      backfill_days: 0,
    });
    return { clientId: client.id, accountId: account.id, path: `/v1/webhooks/${account.id}` };
  }

  /** Creates a client with an ElevenLabs account, whose webhooks may contain audio. */
  async audioAccount(webhookSecret: string): Promise<Account> {
    const client = await this.call<{ id: string }>('POST', '/v1/clients', { name: 'Benchmark' });
    const account = await this.call<{ id: string }>('POST', '/v1/provider-accounts', {
      provider: 'elevenlabs',
      name: 'Benchmark',
      client_id: client.id,
      api_key: 'xi_bench',
      base_url: NOBODY,
      webhook_secret: webhookSecret,
      backfill_days: 0,
    });
    return { clientId: client.id, accountId: account.id, path: `/v1/webhooks/${account.id}` };
  }

  /** CPU milliseconds so far of our programs and of the servers. */
  cpu(): { api: number; worker: number; postgres: number; temporal: number } {
    const of = (pid: number | undefined): number => (pid === undefined ? 0 : cpuMsOf([pid]));
    return {
      api: of(this.api?.pid),
      worker: of(this.worker?.pid),
      postgres: of(this.postgres.process.pid),
      temporal: of(this.temporal?.process.pid),
    };
  }

  /** Writes all dirty pages, so that both sides start with none. */
  async checkpoint(): Promise<void> {
    await this.sql.query('checkpoint');
  }

  async close(): Promise<void> {
    for (const close of this.closers.toReversed()) await close();
    await Promise.all([this.api?.stop(), this.worker?.stop()]);
    await this.sql.end();
    await Promise.all([this.temporal?.stop(), this.postgres.stop()]);
    rmSync(this.dir, { recursive: true, force: true });
  }

  private launch(): { env: Record<string, string>; nodeOptions: string[] } {
    const { profileDir } = this.options;
    const nodeOptions = profileDir === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileDir}`];
    return { env: this.env(), nodeOptions };
  }
}

export interface Account {
  /** cl_…, pa_… */
  clientId: string;
  accountId: string;
  /** Path of its webhook. */
  path: string;
}

async function temporalIn(dir: string, say: (line: string) => void): Promise<EmbeddedTemporal> {
  const env = process.env;
  const cliPath = env['TEMPORAL_CLI_PATH'];
  const { path: binary } = await findTemporalCli({ cliPath, env, cacheDir: resolve('.cache/temporal'), report: say });
  return startTemporal({ binary, dbFile: join(dir, 'temporal.db'), uiPort: false, namespaces: [BARE_NAMESPACE] });
}
