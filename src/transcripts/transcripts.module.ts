import { Module } from '@nestjs/common';
import { JournalModule } from '../journal/journal.module.js';
import { TranscriptsController } from './transcripts.controller.js';
import { TranscriptsService } from './transcripts.service.js';

@Module({ imports: [JournalModule], controllers: [TranscriptsController], providers: [TranscriptsService] })
export class TranscriptsModule {}
