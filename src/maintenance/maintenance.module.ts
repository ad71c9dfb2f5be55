// What is tidied up, in order: keys before the objects that only they open, so that a store that is away keeps no key alive.
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

/** One line a task. */
const TASKS = [
  SweepIdempotencyKeys,
  SweepContentReadMarks,
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
