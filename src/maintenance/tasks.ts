// What is tidied up, in order: keys before the objects that only they open, so that a store that is away keeps no key alive.
import type { WorkerDatabase } from '../database/database.js';
import type { ObjectStore } from '../object-store/object-store.js';
import type { OrphanedObjects } from '../recordings/orphaned-objects.js';
import type { VaultService } from '../vault/vault.service.js';
import { DestroyInboxKeys } from './destroy-inbox-keys.js';
import type { MaintenanceTask } from './maintenance-task.js';
import { ResealParkedFacts } from './reseal-parked-facts.js';
import { SweepContentReadMarks } from './sweep-content-read-marks.js';
import { SweepConversationKeys } from './sweep-conversation-keys.js';
import { SweepIdempotencyKeys } from './sweep-idempotency-keys.js';
import { SweepObjects } from './sweep-objects.js';

interface Dependencies {
  database: WorkerDatabase;
  vault: VaultService;
  objects: ObjectStore;
  orphaned: OrphanedObjects;
}

/** One line a task. */
export const maintenanceTasks = ({ database, vault, objects, orphaned }: Dependencies): MaintenanceTask[] => [
  new SweepIdempotencyKeys(database),
  new SweepContentReadMarks(database),
  new ResealParkedFacts(database, vault),
  new DestroyInboxKeys(database, vault),
  new SweepConversationKeys(database, vault),
  new SweepObjects(objects, orphaned),
];
