import { Module } from '@nestjs/common';
import { ContentReads } from './content-reads.js';
import { JournalNumbering } from './journal-numbering.js';

@Module({ providers: [ContentReads], exports: [ContentReads] })
export class JournalModule {}

/** Of the worker. */
@Module({ providers: [JournalNumbering], exports: [JournalNumbering] })
export class JournalNumberingModule {}
