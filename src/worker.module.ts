// The modules of the worker process.
import { Module, type DynamicModule } from '@nestjs/common';
import type { Clock } from './common/clock.js';
import type { Log } from './common/log.js';
import { ConfigModule } from './config/config.module.js';
import type { Config } from './config/config.js';
import { DatabaseModule } from './database/database.module.js';
import { SearchDatabaseModule } from './database/search/search-database.module.js';
import { EgressModule } from './egress/egress.module.js';
import { IntakeModule } from './intake/intake.module.js';
import { JournalNumberingModule } from './journal/journal.module.js';
import { MaintenanceModule } from './maintenance/maintenance.module.js';
import { ObjectStoreModule } from './object-store/object-store.module.js';
import { WorkerObservabilityModule } from './observability/worker-observability.module.js';
import { OutboxModule } from './outbox/outbox.module.js';
import { ReconciliationModule } from './reconciliation/reconciliation.module.js';
import { IndexingModule } from './search/indexing.module.js';
import { RecordingStoreModule } from './recordings/recording-store.module.js';
import { TemporalWorkerModule } from './temporal/temporal-worker.module.js';
import { VaultModule } from './vault/vault.module.js';
import { WorkerLoops } from './worker-loops.js';

/** Feature modules, one line each. Those that only serve workflows come with src/temporal/registry.ts. */
const FEATURES = [
  IntakeModule,
  JournalNumberingModule,
  IndexingModule,
  ReconciliationModule,
  OutboxModule,
  MaintenanceModule,
  WorkerObservabilityModule,
];

interface Parts {
  config: Config;
  log: Log;
  clock?: Clock | undefined;
  /** Path of the workflow bundle. */
  workflowBundle: string;
}

@Module({})
export class WorkerModule {
  static of({ config, log, clock, workflowBundle }: Parts): DynamicModule {
    const foundations = [
      ConfigModule.of(config, log, clock),
      DatabaseModule.forWorker(),
      VaultModule.as('colloquy_keystore_worker'),
      SearchDatabaseModule.as('colloquy_search_worker'),
      EgressModule,
      ObjectStoreModule,
      RecordingStoreModule,
    ];
    return {
      module: WorkerModule,
      imports: [...foundations, TemporalWorkerModule.with(workflowBundle), ...FEATURES],
      providers: [WorkerLoops],
    };
  }
}
