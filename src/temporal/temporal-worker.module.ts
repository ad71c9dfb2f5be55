// The Temporal part of a worker process: its connection, and the kinds, modules and activities from the registry.
import { Global, Module, type DynamicModule } from '@nestjs/common';
import { CONFIG } from '../config/config.module.js';
import { WorkflowConnection } from '../outbox/workflow-kind.js';
import { WorkflowKinds } from '../outbox/workflow-kinds.js';
import { kindsOf, REGISTRY } from './registry.js';
import { ACTIVITIES, TemporalWorker, WORKFLOW_BUNDLE } from './temporal-worker.js';

@Global()
@Module({})
export class TemporalWorkerModule {
  /** `bundle`: path of the workflow bundle. */
  static with(bundle: string): DynamicModule {
    return {
      module: TemporalWorkerModule,
      imports: REGISTRY.map(({ module }) => module),
      providers: [
        { provide: WorkflowKinds, inject: [CONFIG], useFactory: kindsOf },
        { provide: WORKFLOW_BUNDLE, useValue: bundle },
        ...REGISTRY.map(({ activities, services }) => ({
          provide: activities,
          inject: services,
          useFactory: activities,
        })),
        {
          provide: ACTIVITIES,
          inject: REGISTRY.map(({ activities }) => activities),
          useFactory: (...all: object[]) => Object.assign({}, ...all) as object,
        },
        TemporalWorker,
        { provide: WorkflowConnection, useExisting: TemporalWorker },
      ],
      exports: [TemporalWorker, WorkflowConnection, WorkflowKinds],
    };
  }
}
