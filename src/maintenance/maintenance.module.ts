// The clean-up tasks in their order. Keys come before the objects sealed with them, so that an unavailable store keeps no key alive.
import { Module } from '@nestjs/common';
import { Log } from '../common/log.js';
import { DestroyInboxKeys } from './destroy-inbox-keys.js';
import type { MaintenanceTask } from './maintenance-task.js';
import { Maintenance } from './maintenance.js';
import { ResealParkedFacts } from './reseal-parked-facts.js';
import { SweepContentReadMarks } from './sweep-content-read-marks.js';
import { SweepConversationKeys } from './sweep-conversation-keys.js';
import { SweepIdempotencyKeys } from './sweep-idempotency-keys.js';
import { SweepObjects } from './sweep-objects.js';
import { SweepReceipts } from './sweep-receipts.js';

/** One line per task. */
const TASKS = [
  SweepIdempotencyKeys,
  SweepContentReadMarks,
  SweepReceipts,
  ResealParkedFacts,
  DestroyInboxKeys,
  SweepConversationKeys,
  SweepObjects,
];

@Module({
  providers: [
    ...TASKS,
    {
      provide: Maintenance,
      inject: [Log, ...TASKS],
      useFactory: (log: Log, ...tasks: MaintenanceTask[]) => new Maintenance(tasks, log),
    },
  ],
  exports: [Maintenance],
})
export class MaintenanceModule {}
