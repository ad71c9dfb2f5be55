// A complete deployment whose processes may be killed: Postgres, Temporal, API and worker, each restarted on its own
// folder and port. Only the battery restarts them, so that unexpected exits are noticed.
import { join } from 'node:path';
import { newSecret } from '../../src/access/api-key-secret.js';
import { freePort } from '../../src/embedded/ports.js';
import { startPostgres, type EmbeddedPostgres } from '../../src/embedded/postgres/postgres.js';
import { endProcess, signalGroup } from '../../src/embedded/processes.js';
import { startTemporal, type EmbeddedTemporal } from '../../src/embedded/temporal/temporal.js';
import { placesOf } from '../support/egress.js';
import { startProgram, type Program } from '../support/programs.js';
import { newRootKey } from '../support/root-key.js';

export const PARTS = ['worker', 'api', 'temporal', 'postgres'] as const;
export type Part = (typeof PARTS)[number];

export interface SiteOptions {
  /** For all data of the deployment. */
  folder: string;
  temporalCli: string;
  /** Default: below `folder`. */
  postgresDir?: string;
  recordingsDir?: string;
  /** URLs of the simulated providers. */
  providers?: string[];
}

interface CallOptions {
  method?: 'GET' | 'POST' | 'PATCH';
  body?: unknown;
  key?: string;
}

interface Answer {
  status: number;
  body: Record<string, unknown>;
}

interface Ports {
  postgres: number;
  temporal: number;
  api: number;
}

/** Starts all parts on empty folders; the databases are migrated. */
export async function startSite(options: SiteOptions): Promise<Deployment> {
  const ports = { postgres: await freePort(), temporal: await freePort(), api: await freePort() };
  const deployment = new Deployment(options, ports);
  await Promise.all([deployment.start('postgres'), deployment.start('temporal')]);
  const migrate = startProgram('cli', deployment.env, ['migrate']);
  if ((await migrate.ended) !== 0) throw new Error(`the databases were not migrated: ${migrate.said()}`);
  newRootKey(deployment.env['COLLOQUY_DATA_DIR'] ?? '');
  await Promise.all([deployment.start('api'), deployment.start('worker')]);
  return deployment;
}

export class Deployment {
  readonly url: string;
  readonly recordingsDir: string;
  readonly env: Record<string, string> = {};
  /** Unexpected exits. */
  readonly losses: string[] = [];
  readonly adminKey = newSecret();
  /** Supervisor, all clients. */
  readonly readKey = newSecret();
  private readonly programs = new Map<'api' | 'worker', Program>();
  private readonly logs: string[] = [];
  private postgres: EmbeddedPostgres | undefined;
  private temporal: EmbeddedTemporal | undefined;

  constructor(
    private readonly options: SiteOptions,
    private readonly ports: Ports,
  ) {
    this.url = `http://127.0.0.1:${ports.api}`;
    this.recordingsDir = options.recordingsDir ?? join(options.folder, 'data', 'recordings');
  }

  /** Superuser connection string of the content database. */
  get databaseUrl(): string {
    return this.env['DATABASE_URL'] ?? '';
  }

  async start(part: Part): Promise<void> {
    if (part === 'postgres') return this.startPostgres();
    if (part === 'temporal') return this.startTemporal();
    const program = startProgram(part === 'api' ? 'main' : 'worker', this.env);
    this.programs.set(part, program);
    void program.ended.then((code) => {
      this.logs.push(program.said());
      if (this.programs.get(part) === program) this.losses.push(`${part} ended by itself with code ${code}`);
    });
    await program.says(`${part} ready`);
  }

  /** SIGKILL, for Postgres to all of its processes: no shutdown, no flush. */
  async kill(part: Part): Promise<void> {
    if (part === 'postgres') return killGroup(this.postgres);
    if (part === 'temporal') return killGroup(this.temporal);
    const program = this.programs.get(part);
    this.programs.delete(part);
    await program?.end('SIGKILL');
  }

  /** Starts the parts that are not running, and returns them. */
  async repair(): Promise<Part[]> {
    const dead = PARTS.filter((part) => !this.runs(part)).toReversed();
    for (const part of dead) await this.start(part);
    return dead;
  }

  private runs(part: Part): boolean {
    if (part === 'api' || part === 'worker') return this.programs.has(part);
    const child = (part === 'postgres' ? this.postgres : this.temporal)?.process;
    return child?.exitCode === null && child.signalCode === null;
  }

  /** Sends a request, by default with the reading key, as POST if there is a body, else as GET. */
  async call(path: string, { key = this.readKey, body, method }: CallOptions = {}): Promise<Answer> {
    const content = body === undefined ? {} : { body: JSON.stringify(body) };
    const response = await fetch(`${this.url}${path}`, {
      method: method ?? (body === undefined ? 'GET' : 'POST'),
      headers: { authorization: `Bearer ${key}`, ...(body !== undefined && { 'content-type': 'application/json' }) },
      ...content,
      signal: AbortSignal.timeout(20_000),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }

  /** The recording as a caller gets it; null if there is none. */
  async audio(conversationId: string): Promise<Buffer | null> {
    const headers = { authorization: `Bearer ${this.readKey}` };
    const response = await fetch(`${this.url}/v1/conversations/${conversationId}/audio`, { headers });
    const bytes = Buffer.from(await response.arrayBuffer());
    return response.status === 200 ? bytes : null;
  }

  /** The output of all runs of API and worker. */
  said(): string {
    return [...this.logs, ...[...this.programs.values()].map((program) => program.said())].join('');
  }

  async close(): Promise<void> {
    const programs = [...this.programs.values()];
    this.programs.clear();
    await Promise.all(programs.map((program) => program.end('SIGTERM')));
    await Promise.all([this.temporal?.stop(), this.postgres?.stop()]);
  }

  private async startPostgres(): Promise<void> {
    const { folder, postgresDir = join(folder, 'postgres'), providers = [] } = this.options;
    const { postgres: port } = this.ports;
    const log = join(folder, 'postgres.log');
    this.postgres = await startPostgres({ dataDir: postgresDir, port, log });
    Object.assign(this.env, {
      PORT: String(this.ports.api),
      COLLOQUY_DATA_DIR: join(folder, 'data'),
      DATABASE_URL: this.postgres.url('colloquy'),
      KEYSTORE_DATABASE_URL: this.postgres.url('colloquy_keystore'),
      SEARCH_DATABASE_URL: this.postgres.url('colloquy_search'),
      TEMPORAL_ADDRESS: `127.0.0.1:${this.ports.temporal}`,
      COLLOQUY_BOOTSTRAP_KEY: this.adminKey,
      COLLOQUY_BOOTSTRAP_READ_KEY: this.readKey,
      OBJECT_STORE_URL: `file:${this.recordingsDir}`,
      COLLOQUY_RATE_LIMIT: '0',
      COLLOQUY_EGRESS_ALLOW: placesOf(...providers),
    });
  }

  private async startTemporal(): Promise<void> {
    const { folder, temporalCli } = this.options;
    const dbFile = join(folder, 'temporal', 'temporal.db');
    this.temporal = await startTemporal({ binary: temporalCli, dbFile, port: this.ports.temporal, uiPort: false });
  }
}

async function killGroup(server: EmbeddedPostgres | EmbeddedTemporal | undefined): Promise<void> {
  if (server?.process.pid === undefined) return;
  signalGroup(server.process.pid, 'SIGKILL');
  await endProcess(server.process.pid, [['SIGKILL', 5_000]]);
  await server.exited;
}
