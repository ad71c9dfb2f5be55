// Provides intake and the fact writer. Importing it requires a provider of STORE_AUDIO (src/recordings/recording-store.module.ts).
import { Module } from '@nestjs/common';
import { InboxModule } from '../inbox/inbox.module.js';
import { FactWriter } from './fact-writer.js';
import { Intake } from './intake.js';

@Module({ imports: [InboxModule], providers: [Intake, FactWriter], exports: [Intake, FactWriter] })
export class IntakeModule {}
