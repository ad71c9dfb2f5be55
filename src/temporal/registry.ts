// The registry of workflows. One entry each: how it is started and which runs must exist, its activities, the services that these
// call, and the module with the services. test/workflows/registry.spec.ts compares it with the bundle.
import type { Type } from '@nestjs/common';
import { createConversationActivities } from '../../activities/conversation.activities.js';
import { createReconciliationActivities } from '../../activities/reconciliation.activities.js';
import type { Config } from '../config/config.js';
import { Lifecycle } from '../lifecycle/conversation-lifecycle.js';
import { ConversationKind } from '../lifecycle/conversation.starter.js';
import { LifecycleModule } from '../lifecycle/lifecycle.module.js';
import { RecordingFetcher } from '../lifecycle/recording-fetcher.js';
import type { WorkflowKind } from '../outbox/workflow-kind.js';
import { WorkflowKinds } from '../outbox/workflow-kinds.js';
import { BackfillWalk } from '../reconciliation/backfill-walk.js';
import { BackfillKind } from '../reconciliation/backfill.starter.js';
import { ReconciliationModule } from '../reconciliation/reconciliation.module.js';

interface Registration {
  kind: new (publicUrl: string) => WorkflowKind;
  activities: (...services: never[]) => object;
  services: Type[];
  module: Type;
}

/** Lets the compiler check that the activities get the services that they expect. */
const workflow = <Services extends unknown[]>(
  registration: Registration & {
    activities: (...services: Services) => object;
    services: { [Place in keyof Services]: Type<Services[Place]> };
  },
): Registration => registration;

export const REGISTRY: readonly Registration[] = [
  workflow({
    kind: ConversationKind,
    activities: createConversationActivities,
    services: [Lifecycle, RecordingFetcher],
    module: LifecycleModule,
  }),
  workflow({
    kind: BackfillKind,
    activities: createReconciliationActivities,
    services: [BackfillWalk],
    module: ReconciliationModule,
  }),
];

export const kindsOf = ({ publicUrl }: Pick<Config, 'publicUrl'>): WorkflowKinds =>
  new WorkflowKinds(REGISTRY.map(({ kind: Kind }) => new Kind(publicUrl)));
