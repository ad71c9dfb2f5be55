import { Module } from '@nestjs/common';
import { CONFIG } from '../config/config.module.js';
import type { Config } from '../config/config.js';
import { HealthProbes } from '../health/probes.js';
import { JournalModule } from '../journal/journal.module.js';
import { openObjectStore } from '../object-store/open-object-store.js';
import { RecordingIntegrity } from './recording-integrity.js';
import { RecordingStore } from './recording-store.js';
import { RecordingsController } from './recordings.controller.js';
import { RecordingsService } from './recordings.service.js';

@Module({
  imports: [JournalModule],
  controllers: [RecordingsController],
  providers: [
    RecordingsService,
    RecordingIntegrity,
    {
      provide: RecordingStore,
      inject: [CONFIG, HealthProbes],
      useFactory: async (config: Config, probes: HealthProbes) => {
        const objects = await openObjectStore(config);
        // Named only: all instances share it, and without it everything but recordings is answered, webhooks above all.
        probes.add({ name: 'object_store', check: () => objects.ping(), code: null });
        return new RecordingStore(objects);
      },
    },
  ],
})
export class RecordingsModule {}
