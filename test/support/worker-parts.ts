// A worker's services without its loops: tests decide when facts are applied and recordings fetched.
import { Clock } from '../../src/common/clock.js';
import { Log } from '../../src/common/log.js';
import type { Config } from '../../src/config/config.js';
import { WorkerDatabase } from '../../src/database/database.js';
import { Inbox } from '../../src/inbox/inbox.js';
import { FactWriter } from '../../src/intake/fact-writer.js';
import { Intake } from '../../src/intake/intake.js';
import { JournalNumbering } from '../../src/journal/journal-numbering.js';
import { Lifecycle } from '../../src/lifecycle/conversation-lifecycle.js';
import { SnapshotReader } from '../../src/lifecycle/conversation-snapshot.js';
import { RecordingFetcher } from '../../src/lifecycle/recording-fetcher.js';
import { Maintenance } from '../../src/maintenance/maintenance.js';
import { ProviderGateway } from '../../src/providers/gateway/gateway.js';
import { ProviderAccounts } from '../../src/providers/provider-accounts.js';
import { OrphanedObjects } from '../../src/recordings/orphaned-objects.js';
import { Indexer } from '../../src/search/indexer.js';
import { Rebuild } from '../../src/search/rebuild.js';
import { RebuildStep } from '../../src/search/rebuild-step.js';
import { SearchState } from '../../src/search/search-state.js';
import { IndexWriter } from '../../src/search/index-writer.js';
import { RecordingStore } from '../../src/recordings/recording-store.js';
import { VaultService } from '../../src/vault/vault.service.js';
import { createWorker } from '../../src/worker.setup.js';

interface Clocks {
  /** The clock of the machine. */
  machine?: () => number;
  /** Another clock, for deadlines of conversations. Epoch milliseconds, as above. */
  deadlines?: () => number;
}

/** The services as the worker's modules create them. */
export async function openWorkerParts(
  config: Config,
  { machine = () => Date.now(), deadlines = machine }: Clocks = {},
) {
  const clock = Object.assign(new Clock(), { now: machine });
  const worker = await createWorker(config, new Log('silent'), { clock, workflowBundle: 'no workflow is run' });
  const facts = worker.get(FactWriter, { strict: false });
  const gateway = worker.get(ProviderGateway, { strict: false });
  const snapshots = worker.get(SnapshotReader, { strict: false });
  const store = worker.get(RecordingStore, { strict: false });
  const vault = worker.get(VaultService, { strict: false });
  const later = Object.assign(new Clock(), { now: deadlines });
  const lifecycle = new Lifecycle(snapshots, facts, gateway, later);
  return {
    accounts: worker.get(ProviderAccounts, { strict: false }),
    database: worker.get(WorkerDatabase, { strict: false }),
    facts,
    fetcher: new RecordingFetcher(lifecycle, snapshots, facts, gateway, store, vault, later),
    gateway,
    indexer: worker.get(Indexer, { strict: false }),
    indexWriter: worker.get(IndexWriter, { strict: false }),
    rebuild: worker.get(Rebuild, { strict: false }),
    rebuildSteps: worker.get(RebuildStep, { strict: false }),
    searchState: worker.get(SearchState, { strict: false }),
    inbox: worker.get(Inbox, { strict: false }),
    intake: worker.get(Intake, { strict: false }),
    lifecycle,
    maintenance: worker.get(Maintenance, { strict: false }),
    numbering: worker.get(JournalNumbering, { strict: false }),
    orphaned: worker.get(OrphanedObjects, { strict: false }),
    snapshots,
    store,
    vault,
    close: () => worker.close(),
  };
}

/** Runs one round of the real intake on the inbox; resolves with how many facts it applied. */
export async function applyWaiting(config: Config): Promise<number> {
  const { intake, close } = await openWorkerParts(config);
  try {
    return await intake.round();
  } finally {
    await close();
  }
}

/** Numbers new entries of the journal; resolves with how many. */
export async function numberJournal(config: Config): Promise<number> {
  const { numbering, close } = await openWorkerParts(config);
  try {
    return await numbering.round();
  } finally {
    await close();
  }
}
