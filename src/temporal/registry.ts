// Every workflow of this installation: what must run of its kind, and the activities that it calls. One line each.
import type { FactoryProvider } from '@nestjs/common';
import { createConversationActivities } from '../../activities/conversation.activities.js';
import { createReconciliationActivities } from '../../activities/reconciliation.activities.js';
import { Lifecycle } from '../lifecycle/conversation-lifecycle.js';
import { ConversationKind } from '../lifecycle/conversation.starter.js';
import { RecordingFetcher } from '../lifecycle/recording-fetcher.js';
import { BACKFILLS, CONVERSATIONS, type WorkflowKind } from '../outbox/workflow-kind.js';
import { BackfillWalk } from '../reconciliation/backfill-walk.js';
import { BackfillKind } from '../reconciliation/backfill.starter.js';

interface Registration {
  /** Injection token of the kind. */
  token: symbol;
  kind: new (publicUrl: string) => WorkflowKind;
  activities: FactoryProvider<object>;
}

export const REGISTRY: readonly Registration[] = [
  {
    token: CONVERSATIONS,
    kind: ConversationKind,
    activities: {
      provide: Symbol('activities of conversations'),
      inject: [Lifecycle, RecordingFetcher],
      useFactory: (lifecycle: Lifecycle, recordings: RecordingFetcher) =>
        createConversationActivities({ lifecycle, recordings }),
    },
  },
  {
    token: BACKFILLS,
    kind: BackfillKind,
    activities: {
      provide: Symbol('activities of backfills'),
      inject: [BackfillWalk],
      useFactory: (backfill: BackfillWalk) => createReconciliationActivities({ backfill }),
    },
  },
];
