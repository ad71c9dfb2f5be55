import { Global, Module } from '@nestjs/common';
import { AccessGate } from './access-gate.js';
import { Idempotency } from './idempotency.js';
import { KeyDirectory } from './key-directory.js';
import { KeyUsage } from './key-usage.js';
import { RequestLimit } from './request-limit.js';

@Global()
@Module({
  providers: [AccessGate, KeyDirectory, KeyUsage, RequestLimit, Idempotency],
  exports: [AccessGate, Idempotency],
})
export class AccessModule {}
