// One installation for a spec file: databases of its own, a Temporal namespace of its own, a Retell simulator, a client
// and a provider account. The worker runs in this process; the door is the real one, called without HTTP.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client as TemporalClient, Connection } from '@temporalio/client';
import { Pool } from 'pg';
import { inject } from 'vitest';
import { startRetellSimulator, type RetellSimulator } from '../../simulators/retell/index.js';
import { Log } from '../../src/common/log.js';
import { newUuid, publicId } from '../../src/common/ids.js';
import { parseConfig, type Config } from '../../src/config/config.js';
import { createDataSource } from '../../src/database/data-source.js';
import { IngestDatabase } from '../../src/database/database.js';
import { Notifier } from '../../src/database/notifier.js';
import { Inbox } from '../../src/inbox/inbox.js';
import { WebhookDoor, type Received } from '../../src/inbox/webhook-door.js';
import { ProviderAccounts, sealAccount, type Deadlines } from '../../src/providers/provider-accounts.js';
import { TemporalWorker } from '../../src/temporal/temporal-worker.js';
import { openVault } from '../../src/vault/open-vault.js';
import { sealJson } from '../../src/vault/sealing.js';
import type { VaultService } from '../../src/vault/vault.service.js';
import { startWorker, type WorkerProcess } from '../../src/worker-process.js';
import { createTestDatabases } from './databases.js';

interface InstallOptions {
  deadlines?: Partial<Deadlines>;
}

export interface StoredConversation {
  id: string;
  status: string;
  record_state: string;
  end_category: string | null;
  transcript_state: string;
  transcript_reason: string | null;
  audio_state: string;
  audio_reason: string | null;
  analysis_state: string;
  analysis_reason: string | null;
  revision: number;
}

export class Installation {
  constructor(
    readonly config: Config,
    readonly dataDir: string,
    readonly retell: RetellSimulator,
    readonly vault: VaultService,
    readonly door: WebhookDoor,
    /** Superuser, to look at tables from outside. */
    readonly sql: Pool,
    readonly clientId: string,
    readonly accountId: string,
    readonly temporal: TemporalClient,
    private readonly closers: (() => Promise<unknown>)[],
  ) {}

  private readonly workers: WorkerProcess[] = [];

  async startWorker(): Promise<WorkerProcess> {
    const worker = await startWorker(this.config, testLog, { workflowBundle: inject('services').workflowBundle });
    this.workers.push(worker);
    return worker;
  }

  /** Sends a webhook as Retell would: real body, real signature, the real door. */
  send(event: string, callId: string): Promise<Received> {
    return this.sendBody(this.retell.webhookBody(event, callId));
  }

  sendBody(body: string): Promise<Received> {
    const headers = { 'x-retell-signature': this.retell.sign(body) };
    return this.door.receive(publicId('providerAccount', this.accountId), { rawBody: Buffer.from(body), headers });
  }

  async conversations(): Promise<StoredConversation[]> {
    return (await this.sql.query<StoredConversation>('select * from conversations order by created_at, id')).rows;
  }

  /** The only conversation, once it is as `fits` wants it. */
  async conversationWhen(
    fits: (conversation: StoredConversation) => boolean,
    id?: string,
  ): Promise<StoredConversation> {
    return eventually(async () =>
      (await this.conversations()).find((found) => (id === undefined || found.id === id) && fits(found)),
    );
  }

  async close(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.stop()));
    for (const close of this.closers) await close();
    rmSync(this.dataDir, { recursive: true, force: true });
  }
}

const testLog = new Log(process.env['LOG_LEVEL'] ?? 'fatal');

/** Tries until `attempt` gives something; fails after `seconds` with what it gave last. */
export async function eventually<Value>(
  attempt: () => Promise<Value | undefined | false>,
  seconds = 20,
): Promise<Value> {
  const until = Date.now() + seconds * 1000;
  for (;;) {
    const value = await attempt();
    if (value !== undefined && value !== false) return value;
    if (Date.now() > until) throw new Error(`it did not happen within ${seconds} s`);
    await sleep(50);
  }
}

/** Namespaces are taken by making a folder: atomic, so that spec files running side by side never share one. */
export function takeNamespace(runDir: string): string {
  for (let index = 0; ; index += 1) {
    try {
      mkdirSync(join(runDir, 'namespaces', String(index)));
      return `test-${index}`;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

let runtimeInstalled = false;

export async function install(options: InstallOptions = {}): Promise<Installation> {
  const { postgresUrl, temporalAddress, runDir } = inject('services');
  if (!runtimeInstalled) TemporalWorker.installRuntime(testLog);
  runtimeInstalled = true;
  const databases = await createTestDatabases(postgresUrl);
  const dataDir = mkdtempSync(join(runDir, 'installation-'));
  const config = parseConfig({
    DATABASE_URL: databases.databaseUrl,
    KEYSTORE_DATABASE_URL: databases.keystoreUrl,
    COLLOQUY_DATA_DIR: dataDir,
    TEMPORAL_ADDRESS: temporalAddress,
    TEMPORAL_NAMESPACE: takeNamespace(runDir),
  });
  const retell = await startRetellSimulator({ port: 0, apiKey: 'key_test' });
  const vault = await openVault({ keystoreUrl: databases.keystoreUrl, rootKeyFile: config.rootKeyFile });
  const ingest = new IngestDatabase(
    createDataSource({ url: databases.databaseUrl, role: 'colloquy_ingest', poolSize: 4 }),
  );
  await ingest.dataSource.initialize();
  const sql = new Pool({ connectionString: databases.databaseUrl, max: 4 });
  const [clientId, accountId] = [newUuid(), newUuid()];
  await seed({ sql, vault, retell, clientId, accountId, deadlines: options.deadlines ?? {} });
  const accounts = new ProviderAccounts(ingest, vault);
  const door = new WebhookDoor(accounts, new Inbox(ingest, vault, new Notifier(ingest)));
  const connection = Connection.lazy({ address: temporalAddress });
  const temporal = new TemporalClient({ connection, namespace: config.temporal.namespace });
  const closers = [
    () => retell.close(),
    () => ingest.close(),
    () => vault.close(),
    () => connection.close(),
    () => sql.end(),
    () => databases.drop(),
  ];
  return new Installation(config, dataDir, retell, vault, door, sql, clientId, accountId, temporal, closers);
}

interface Seed {
  sql: Pool;
  vault: VaultService;
  retell: RetellSimulator;
  clientId: string;
  accountId: string;
  deadlines: Partial<Deadlines>;
}

async function seed({ sql, vault, retell, clientId, accountId, deadlines }: Seed): Promise<void> {
  const key = await vault.clientKey(clientId);
  const secrets = {
    name: 'test',
    api_key: retell.apiKey,
    webhook_secret: null,
    base_url: retell.baseUrl,
    agent_clients: [],
  };
  await sql.query('insert into clients (id, sealed) values ($1, $2)', [
    clientId,
    sealJson(key, `client:${clientId}`, { name: 'test' }),
  ]);
  await sql.query(
    'insert into provider_accounts (id, client_id, provider, sealed, deadlines) values ($1, $2, $3, $4, $5)',
    [...[accountId, clientId, 'retell', sealAccount(key, accountId, secrets), deadlines]],
  );
}
