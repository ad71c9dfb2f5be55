import { Inject, Injectable } from '@nestjs/common';
import type { ObjectStore } from '../object-store/object-store.js';
import { OBJECT_STORE } from '../object-store/object-store.module.js';
import { OrphanedObjects } from '../recordings/orphaned-objects.js';
import { DAY_MS, type MaintenanceTask } from './maintenance-task.js';

/** Removes what interrupted and superseded uploads of recordings left. Runs last: an unavailable store must not keep keys alive. */
@Injectable()
export class SweepObjects implements MaintenanceTask {
  readonly name = 'sweep objects';

  constructor(
    @Inject(OBJECT_STORE) private readonly objects: ObjectStore,
    private readonly orphaned: OrphanedObjects,
  ) {}

  async run(now: Date): Promise<{ unfinished: number; removed: number }> {
    const olderThan = new Date(now.getTime() - DAY_MS);
    return { unfinished: await this.objects.sweep(olderThan), removed: await this.orphaned.sweep(olderThan) };
  }
}
