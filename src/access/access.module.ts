import { Module } from '@nestjs/common';
import { AccessGate } from './access-gate.js';
import { KeyDirectory } from './key-directory.js';
import { KeyUsage } from './key-usage.js';
import { RequestLimit } from './request-limit.js';

@Module({
  providers: [AccessGate, KeyDirectory, KeyUsage, RequestLimit],
  exports: [AccessGate],
})
export class AccessModule {}
