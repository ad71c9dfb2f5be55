import { Module } from '@nestjs/common';
import { CONFIG } from '../common/settings.js';
import type { Config } from '../config/config.js';
import { JournalModule } from '../journal/journal.module.js';
import { FolderStore } from './folder-store.js';
import { RecordingStore } from './recording-store.js';
import { RecordingsController } from './recordings.controller.js';
import { RecordingsService } from './recordings.service.js';

@Module({
  imports: [JournalModule],
  controllers: [RecordingsController],
  providers: [
    RecordingsService,
    {
      provide: RecordingStore,
      inject: [CONFIG],
      useFactory: (config: Config) => new RecordingStore(new FolderStore(config.recordingsDir)),
    },
  ],
})
export class RecordingsModule {}
