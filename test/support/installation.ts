// An installation for a spec file: its own databases and Temporal namespace, a Retell simulator, a client and a provider
// account. The worker runs in this process; the webhook door is the real one, called without HTTP.
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Client as TemporalClient, Connection, type WorkflowHandle } from '@temporalio/client';
import type { Pool } from 'pg';
import { inject } from 'vitest';
import { startRetellSimulator, type RetellSimulator } from '../../simulators/retell/index.js';
import { Log } from '../../src/common/log.js';
import { publicId } from '../../src/common/ids.js';
import { parseConfig, type Config } from '../../src/config/config.js';
import type { WebhookDoor, Received } from '../../src/inbox/webhook-door.js';
import type { Deadlines } from '../../src/providers/provider-accounts.js';
import { TemporalWorker } from '../../src/temporal/temporal-worker.js';
import { openVault } from '../../src/vault/open-vault.js';
import type { VaultService } from '../../src/vault/vault.service.js';
import { startWorker, type RunningWorker } from '../../src/worker.setup.js';
import { seedAccount, seedClient, type NewAccount } from './accounts.js';
import { createTestDatabases, outsidePool } from './databases.js';
import { placesOf } from './egress.js';
import { eventually } from './eventually.js';
import type { TestServices } from './global-setup.js';
import { ConversationStore, type StoredConversation } from './stored-conversation.js';
import { newRootKey } from './root-key.js';
import { openWebhookDoor } from './webhook-door.js';

export { eventually };

interface InstallOptions {
  /** Seconds. */
  deadlines?: Partial<Deadlines>;
  /** Another Temporal than the shared one. */
  temporal?: { address: string; namespace: string };
  /** Superuser URLs of other servers than the shared one; they have the templates. */
  postgres?: { content: string; search: string };
  /** Further settings. */
  env?: Record<string, string>;
}

/** A conversation by the provider's ids. */
export interface ProviderIdentity {
  accountId: string;
  kind: string;
  providerId: string;
}

interface Parts {
  env: Record<string, string>;
  config: Config;
  dataDir: string;
  recordingsDir: string;
  retell: RetellSimulator;
  vault: VaultService;
  door: WebhookDoor;
  sql: Pool;
  searchSql: Pool;
  clientId: string;
  accountId: string;
  temporal: TemporalClient;
  closers: (() => Promise<unknown>)[];
}

export class Installation {
  /** The settings as an environment, for separate processes. */
  readonly env: Record<string, string>;
  readonly config: Config;
  readonly retell: RetellSimulator;
  readonly vault: VaultService;
  readonly door: WebhookDoor;
  /** Superuser, to inspect tables. */
  readonly sql: Pool;
  /** The same for the search database. */
  readonly searchSql: Pool;
  readonly clientId: string;
  readonly accountId: string;
  readonly temporal: TemporalClient;
  readonly store: ConversationStore;
  private readonly workers: RunningWorker[] = [];

  constructor(private readonly parts: Parts) {
    ({ env: this.env, config: this.config, retell: this.retell, vault: this.vault, door: this.door } = parts);
    ({ sql: this.sql, clientId: this.clientId, accountId: this.accountId, temporal: this.temporal } = parts);
    this.searchSql = parts.searchSql;
    this.store = new ConversationStore(parts.sql, parts.vault);
  }

  async startWorker(workflowBundle = inject('services').workflowBundle): Promise<RunningWorker> {
    const worker = await startWorker(this.config, testLog, { workflowBundle });
    this.workers.push(worker);
    return worker;
  }

  /** Adds a host to the operator's allow list, for this process and those started from now on. */
  allow(url: string): void {
    const { env, config } = this.parts;
    env['COLLOQUY_EGRESS_ALLOW'] = `${env['COLLOQUY_EGRESS_ALLOW']},${placesOf(url)}`;
    (config.egressAllow.hostPorts as Set<string>).add(placesOf(url));
  }

  /** Stops the running workers, as a deployment does. */
  async stopWorkers(): Promise<void> {
    await Promise.all(this.workers.splice(0).map((worker) => worker.stop()));
  }

  /** Sends a webhook as Retell does: real body, real signature, real webhook door. */
  send(event: string, callId: string): Promise<Received> {
    return this.sendBody(this.retell.webhookBody(event, callId));
  }

  async sendBody(body: string): Promise<Received> {
    const request = { rawBody: Buffer.from(body), headers: { 'x-retell-signature': this.retell.sign(body) } };
    return (await this.door.receive(publicId('providerAccount', this.accountId), request)).result;
  }

  conversations(): Promise<StoredConversation[]> {
    return this.store.all();
  }

  /** The only conversation, once `fits` accepts it. */
  async conversationWhen(
    fits: (conversation: StoredConversation) => boolean,
    id?: string,
  ): Promise<StoredConversation> {
    return eventually(async () =>
      (await this.conversations()).find((found) => (id === undefined || found.id === id) && fits(found)),
    );
  }

  /** A further account of the client; returns its uuid. */
  addAccount(account: NewAccount): Promise<string> {
    return seedAccount({ sql: this.sql, vault: this.vault }, this.clientId, account);
  }

  /** The conversation with a provider's id, once `fits` accepts it. */
  async conversationOf(
    identity: ProviderIdentity,
    fits: (conversation: StoredConversation) => boolean = () => true,
    seconds = 20,
  ): Promise<StoredConversation> {
    const hash = await this.identityOf(identity);
    return eventually(async () => {
      const found = await this.store.byIdentity(hash);
      return found && fits(found) ? found : undefined;
    }, seconds);
  }

  /** The conversation of a call at Retell, once `fits` accepts it. */
  call(callId: string, fits: (conversation: StoredConversation) => boolean = () => true, seconds = 20) {
    return this.conversationOf(this.callAtRetell(callId), fits, seconds);
  }

  settled(callId: string, seconds = 20): Promise<StoredConversation> {
    return this.call(callId, ({ record_state }) => record_state === 'settled', seconds);
  }

  /** The workflow of a call, once it exists. */
  async workflow(callId: string): Promise<WorkflowHandle> {
    const { id } = await this.call(callId);
    const handle = this.temporal.workflow.getHandle(`conversation/${publicId('conversation', id)}`);
    await eventually(() => handle.describe().catch(() => null));
    return handle;
  }

  /** A live call whose workflow waits for a signal. */
  async liveCall(fields: Record<string, unknown> = {}): Promise<{ callId: string; handle: WorkflowHandle }> {
    const { call_id: callId } = this.retell.addCall(fields);
    await this.send('call_started', callId);
    const handle = await this.workflow(callId);
    await eventually(async () => (await eventTypes(handle)).includes('TIMER_STARTED'));
    return { callId, handle };
  }

  /** Ends a call at Retell, analysed unless `fields` or the faults say otherwise, without a webhook. */
  finish(callId: string, fields: Record<string, unknown> = {}): void {
    this.retell.endCall(callId, fields);
    this.retell.analyze(callId);
  }

  /** Number of GET requests or downloads of a call at the provider. */
  requestsOf(callId: string, kind: 'get' | 'audio'): number {
    const part = kind === 'get' ? `/v2/get-call/${callId}` : `/recordings/${callId}`;
    return this.retell.requests.filter(({ path }) => path.startsWith(part)).length;
  }

  /** Every file below the folder of recordings. */
  recordingFiles(): string[] {
    const { recordingsDir } = this.parts;
    const names = readdirSync(recordingsDir, { recursive: true, encoding: 'utf8' });
    return names.filter((name) => statSync(join(recordingsDir, name)).isFile());
  }

  private async identityOf({ accountId, kind, providerId }: ProviderIdentity): Promise<Buffer> {
    const hasher = await this.vault.identityHasher({ providerAccountId: accountId, clientId: this.clientId });
    return hasher.hash('provider_id', kind, providerId);
  }

  private readonly callAtRetell = (providerId: string): ProviderIdentity => ({
    accountId: this.accountId,
    kind: 'call',
    providerId,
  });

  async close(): Promise<void> {
    await this.stopWorkers();
    for (const close of this.parts.closers) await close();
    rmSync(this.parts.dataDir, { recursive: true, force: true });
  }
}

/** Names of a workflow's history events, such as `TIMER_STARTED`. */
export async function eventTypes(handle: WorkflowHandle): Promise<string[]> {
  const { events } = await handle.fetchHistory();
  return (events ?? []).map(({ eventType }) => EVENT_TYPES[eventType ?? 0] ?? String(eventType));
}

/** temporal.api.enums.v1.EventType, the few that tests need. */
const EVENT_TYPES: Record<number, string> = {
  10: 'ACTIVITY_TASK_SCHEDULED',
  17: 'TIMER_STARTED',
  18: 'TIMER_FIRED',
  25: 'MARKER_RECORDED',
  26: 'WORKFLOW_EXECUTION_SIGNALED',
};

const testLog = new Log(process.env['LOG_LEVEL'] ?? 'fatal');

/** A namespace is taken by making a folder, which is atomic, so that parallel spec files never share one. */
function takeNamespace({ runDir, namespaces }: TestServices): string {
  for (const name of namespaces) {
    try {
      mkdirSync(join(runDir, 'namespaces', name));
      return name;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
  throw new Error('all namespaces are taken: make more in global-setup.ts');
}

let runtimeInstalled = false;

export async function install(options: InstallOptions = {}): Promise<Installation> {
  const services = inject('services');
  const { postgresUrl, temporalAddress, runDir } = services;
  if (!runtimeInstalled) TemporalWorker.installRuntime(testLog);
  runtimeInstalled = true;
  const databases = await createTestDatabases(options.postgres?.content ?? postgresUrl, options.postgres?.search);
  const dataDir = mkdtempSync(join(runDir, 'installation-'));
  const address = options.temporal?.address ?? temporalAddress;
  const retell = await startRetellSimulator({ port: 0, apiKey: 'key_test' });
  const env = {
    COLLOQUY_EGRESS_ALLOW: placesOf(retell.baseUrl),
    ...databases.settingsOf('worker'),
    COLLOQUY_DATA_DIR: dataDir,
    TEMPORAL_ADDRESS: address,
    TEMPORAL_NAMESPACE: options.temporal?.namespace ?? takeNamespace(services),
    ...options.env,
  };
  const config = parseConfig(env);
  newRootKey(dataDir);
  const recordingsDir = join(dataDir, 'recordings');
  mkdirSync(recordingsDir);
  const vault = await openVault({ keystoreUrl: databases.keystoreUrl, rootKeyFile: config.rootKeyFile });
  const { door, close: closeDoor } = await openWebhookDoor(
    parseConfig({ ...env, ...databases.settingsOf('api') }),
    testLog,
  );
  const [sql, searchSql] = [outsidePool(databases.databaseUrl), outsidePool(databases.searchUrl)];
  const clientId = await seedClient({ sql, vault });
  const { apiKey: api_key, baseUrl: base_url } = retell;
  const { deadlines = {} } = options;
  const accountId = await seedAccount({ sql, vault }, clientId, { provider: 'retell', api_key, base_url, deadlines });
  const connection = Connection.lazy({ address });
  const temporal = new TemporalClient({ connection, namespace: config.temporal.namespace });
  const closers = [
    () => retell.close(),
    () => closeDoor(),
    () => vault.close(),
    () => connection.close(),
    () => sql.end(),
    () => searchSql.end(),
    () => databases.drop(),
  ];
  return new Installation({
    env,
    config,
    dataDir,
    recordingsDir,
    retell,
    vault,
    door,
    sql,
    searchSql,
    clientId,
    accountId,
    temporal,
    closers,
  });
}
