import { Module } from '@nestjs/common';
import { HealthProbes } from '../health/probes.js';
import { JournalModule } from '../journal/journal.module.js';
import type { ObjectStore } from '../object-store/object-store.js';
import { OBJECT_STORE, ObjectStoreModule } from '../object-store/object-store.module.js';
import { RecordingIntegrity } from './recording-integrity.js';
import { RecordingStore } from './recording-store.js';
import { RecordingsController } from './recordings.controller.js';
import { RecordingsService } from './recordings.service.js';

@Module({
  imports: [JournalModule, ObjectStoreModule],
  controllers: [RecordingsController],
  providers: [
    RecordingsService,
    RecordingIntegrity,
    {
      provide: RecordingStore,
      inject: [OBJECT_STORE, HealthProbes],
      useFactory: (objects: ObjectStore, probes: HealthProbes) => {
        // Reported by /readyz but does not fail it: all instances share the store, and without it everything but recordings works.
        probes.add({ name: 'object_store', check: () => objects.ping(), code: null });
        return new RecordingStore(objects);
      },
    },
  ],
})
export class RecordingsModule {}
