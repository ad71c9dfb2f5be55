// Temporal for a worker: its connection, the kinds of workflows, and the activities that they call.
import { Global, Module, type DynamicModule, type Provider } from '@nestjs/common';
import { CONFIG } from '../config/config.module.js';
import type { Config } from '../config/config.js';
import { WorkflowConnection } from '../outbox/workflow-kind.js';
import { LifecycleModule } from '../lifecycle/lifecycle.module.js';
import { ReconciliationModule } from '../reconciliation/reconciliation.module.js';
import { REGISTRY } from './registry.js';
import { ACTIVITIES, TemporalWorker, WORKFLOW_BUNDLE } from './temporal-worker.js';

const KINDS: Provider[] = REGISTRY.map(({ token, kind: Kind }) => ({
  provide: token,
  inject: [CONFIG],
  useFactory: ({ publicUrl }: Config) => new Kind(publicUrl),
}));

@Global()
@Module({})
export class TemporalWorkerModule {
  /** `bundle`: path of the workflow bundle. */
  static with(bundle: string): DynamicModule {
    return {
      module: TemporalWorkerModule,
      imports: [LifecycleModule, ReconciliationModule],
      providers: [
        ...KINDS,
        { provide: WORKFLOW_BUNDLE, useValue: bundle },
        ...REGISTRY.map(({ activities }) => activities),
        {
          provide: ACTIVITIES,
          inject: REGISTRY.map(({ activities }) => activities.provide),
          useFactory: (...all: object[]) => Object.assign({}, ...all) as object,
        },
        TemporalWorker,
        { provide: WorkflowConnection, useExisting: TemporalWorker },
      ],
      exports: [TemporalWorker, WorkflowConnection, ...REGISTRY.map(({ token }) => token)],
    };
  }
}
