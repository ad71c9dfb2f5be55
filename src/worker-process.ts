// Puts the parts of a worker together. Intake and reads go on while Temporal is away; only workflows wait for it.
import { fileURLToPath } from 'node:url';
import { createConversationActivities } from '../activities/conversation.activities.js';
import { createReconciliationActivities } from '../activities/reconciliation.activities.js';
import type { Log } from './common/log.js';
import { required, type Config } from './config/config.js';
import { Lifecycle } from './lifecycle/conversation-lifecycle.js';
import { snapshotReader } from './lifecycle/conversation-snapshot.js';
import { createDataSource } from './database/data-source.js';
import { WorkerDatabase } from './database/database.js';
import { Listener, Notifier } from './database/notifier.js';
import { Inbox } from './inbox/inbox.js';
import { openEgress } from './egress/open-egress.js';
import { FactWriter } from './intake/fact-writer.js';
import { Intake } from './intake/intake.js';
import type { StoreAudio } from './intake/payload-audio.js';
import { Maintenance } from './maintenance/maintenance.js';
import { maintenanceTasks } from './maintenance/tasks.js';
import { workerMetrics } from './observability/worker-metrics.js';
import type { ProviderGateway } from './providers/gateway/gateway.js';
import { openGateway } from './providers/gateway/open-gateway.js';
import { ProviderAccounts } from './providers/provider-accounts.js';
import { OrphanedObjects } from './recordings/orphaned-objects.js';
import { openObjectStore } from './object-store/open-object-store.js';
import { RecordingFetcher } from './lifecycle/recording-fetcher.js';
import { RecordingStore } from './recordings/recording-store.js';
import type { DuePolls } from './reconciliation/due-polls.js';
import { openReconciliation } from './reconciliation/open-reconciliation.js';
import { AccountSync, syncAll } from './outbox/account-sync.js';
import { FailedRuns } from './outbox/failed-runs.js';
import { startMissing, type Missing } from './outbox/missing-workflows.js';
import { OutboxRelay } from './outbox/outbox-relay.js';
import { Reconciler } from './outbox/reconciler.js';
import type { WorkflowKind } from './outbox/workflow-kind.js';
import { ConversationKind } from './lifecycle/conversation.starter.js';
import { BackfillKind } from './reconciliation/backfill.starter.js';
import { removeFormerSchedules } from './temporal/former-schedules.js';
import { TemporalWorker } from './temporal/temporal-worker.js';
import { openVault } from './vault/open-vault.js';
import type { VaultService } from './vault/vault.service.js';

const POOL_SIZE = 20;
const BUNDLE = new URL('../workflow-bundle.js', import.meta.url);

export interface WorkerProcess {
  /** Finishes what is under way and closes everything. What hangs is waited for: whoever calls it sets the limit. */
  stop(): Promise<void>;
}

interface WorkerOptions {
  /** Path of the workflow bundle; default: what the build made. */
  workflowBundle?: string;
}

/** What a worker works with: pools, stores, and the services on them. */
async function openParts(config: Config, log: Log) {
  const url = required(config.databaseUrl, 'DATABASE_URL');
  const database = new WorkerDatabase(createDataSource({ url, role: 'colloquy_worker', poolSize: POOL_SIZE }));
  await database.dataSource.initialize();
  const metrics = await workerMetrics(config, database);
  const vault = await openVault({
    keystoreUrl: required(config.keystoreDatabaseUrl, 'KEYSTORE_DATABASE_URL'),
    rootKeyFile: config.rootKeyFile,
    role: 'colloquy_keystore_worker',
  });
  const accounts = new ProviderAccounts(database, vault);
  const notifier = new Notifier(database);
  const objects = await openObjectStore(config);
  const orphaned = new OrphanedObjects(database, objects);
  const store = new RecordingStore(objects, (ref) => orphaned.announce(ref));
  const storeAudio: StoreAudio = (ref, key, bytes) => store.writeBytes(ref, key, bytes);
  const intake = new Intake({ database, notifier, log, vault, accounts, storeAudio });
  const facts = new FactWriter(new Inbox(database, vault, notifier), intake);
  const gateway = openGateway({ database, log, egress: openEgress(config), requestRate: config.providerRate });
  return { url, database, metrics, vault, accounts, objects, orphaned, store, intake, facts, gateway, log };
}

/** Starts all loops of a worker; resolves once facts are applied. Temporal is connected to in the background. */
export async function startWorker(config: Config, log: Log, options: WorkerOptions = {}): Promise<WorkerProcess> {
  const parts = await openParts(config, log);
  const { url, database, metrics, vault, intake } = parts;
  const { activities, polls } = workOf(parts);
  const temporal: TemporalWorker = new TemporalWorker({
    config,
    log,
    workflowBundle: options.workflowBundle ?? fileURLToPath(BUNDLE),
    activities,
    onConnected: () => {
      relays.nudge();
      reconciler.nudge();
    },
  });
  const kinds = {
    conversations: new ConversationKind(config.publicUrl),
    backfills: new BackfillKind(config.publicUrl),
  };
  const outbox = { database, temporal, kinds, log };
  const relays = relaysOf(outbox);
  const reconciler = new Reconciler({ log, startMissing: () => startEverythingMissing(outbox) });
  const listeners = [
    new Listener(url, 'colloquy_inbox', () => intake.nudge()),
    new Listener(url, 'colloquy_wakes', () => {
      relays.nudge();
      polls.nudge();
    }),
  ];
  const maintenance = new Maintenance(maintenanceTasks(parts), log);

  for (const loop of [intake, relays, temporal, polls, maintenance]) loop.start();
  for (const listener of listeners) void listener.start();
  log.info('worker ready', { ...(metrics && { metrics_port: metrics.port }) });

  return {
    stop: async () => {
      maintenance.stop();
      reconciler.stop();
      // Activities may still hand in facts: what applies them goes last.
      await Promise.all([temporal.stop(relays.stop()), polls.stop()]);
      // Their starts are not waited for: `pg` never settles a connect that was ended while it was under way.
      for (const listener of listeners) listener.stop();
      await intake.stop();
      await Promise.all([metrics?.close(), database.close(), vault.close()]);
    },
  };
}

interface OutboxParts {
  database: WorkerDatabase;
  temporal: TemporalWorker;
  kinds: { conversations: WorkflowKind; backfills: WorkflowKind };
  log: Log;
}

/** What hands rows of Postgres on to Temporal. */
function relaysOf({ database, temporal, kinds, log }: OutboxParts) {
  const shared = { database, log, workflows: () => temporal.workflows };
  const all = [
    new OutboxRelay({ ...shared, conversations: kinds.conversations }),
    new AccountSync({ ...shared, backfills: kinds.backfills }),
    new FailedRuns({ ...shared, conversations: kinds.conversations }),
  ];
  return {
    start: (): void => all.forEach((relay) => relay.start()),
    nudge: (): void => all.forEach((relay) => relay.nudge()),
    stop: async (): Promise<void> => void (await Promise.all(all.map((relay) => relay.stop()))),
  };
}

interface ActivityParts {
  database: WorkerDatabase;
  vault: VaultService;
  accounts: ProviderAccounts;
  facts: FactWriter;
  store: RecordingStore;
  gateway: ProviderGateway;
  log: Log;
}

/** Conversations and backfills that Temporal does not know get what they need there; null while it is away. */
function startEverythingMissing({
  database,
  temporal,
  kinds,
  log,
}: OutboxParts): Promise<Missing & { backfills: number }> | null {
  const { client, workflows } = temporal;
  if (client === null || workflows === null) return null;
  void removeFormerSchedules({ database, client, log });
  return startMissing(database, workflows, kinds.conversations).then(async (missing) => ({
    ...missing,
    ...(await syncAll(database, workflows, kinds.backfills)),
  }));
}

/** What workflows may do to the world, and what needs no workflow. */
function workOf(parts: ActivityParts): { activities: object; polls: DuePolls } {
  const { database, vault, accounts, facts, store, gateway } = parts;
  const reading = {
    read: snapshotReader({ database, vault, accounts }),
    facts,
    gateway,
    now: () => Date.now(),
  };
  const lifecycle = new Lifecycle(reading);
  const recordings = new RecordingFetcher({ ...reading, lifecycle, vault, store });
  const { backfill, polls } = openReconciliation({ ...parts, read: reading.read });
  return {
    activities: {
      ...createConversationActivities({ lifecycle, recordings }),
      ...createReconciliationActivities({ backfill }),
    },
    polls,
  };
}
