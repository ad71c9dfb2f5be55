import { Module } from '@nestjs/common';
import { ContentReads } from './content-reads.js';

@Module({ providers: [ContentReads], exports: [ContentReads] })
export class JournalModule {}
