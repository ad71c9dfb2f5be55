// The worker's store of recordings: each object is listed as orphaned before it is written, so that a crash leaves no object
// behind that nothing refers to.
import { Global, Module } from '@nestjs/common';
import { WorkerDatabase } from '../database/database.js';
import { STORE_AUDIO, type StoreAudio } from '../intake/payload-audio.js';
import type { ObjectStore } from '../object-store/object-store.js';
import { OBJECT_STORE } from '../object-store/object-store.module.js';
import { OrphanedObjects } from './orphaned-objects.js';
import { RecordingStore } from './recording-store.js';

@Global()
@Module({
  providers: [
    {
      provide: OrphanedObjects,
      inject: [WorkerDatabase, OBJECT_STORE],
      useFactory: (database: WorkerDatabase, objects: ObjectStore) => new OrphanedObjects(database, objects),
    },
    {
      provide: RecordingStore,
      inject: [OBJECT_STORE, OrphanedObjects],
      useFactory: (objects: ObjectStore, orphaned: OrphanedObjects) =>
        new RecordingStore(objects, (ref) => orphaned.announce(ref)),
    },
    {
      provide: STORE_AUDIO,
      inject: [RecordingStore],
      useFactory:
        (store: RecordingStore): StoreAudio =>
        (ref, key, bytes) =>
          store.writeBytes(ref, key, bytes),
    },
  ],
  exports: [OrphanedObjects, RecordingStore, STORE_AUDIO],
})
export class RecordingStoreModule {}
