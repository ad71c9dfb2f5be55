// Authentication, rights, limits and idempotency: used by every route.
import { Global, Module } from '@nestjs/common';
import { AccessGate } from './access-gate.js';
import { Authentication } from './authentication.js';
import { FailureLimit } from './failure-limit.js';
import { Idempotency } from './idempotency.js';
import { KeyDirectory } from './key-directory.js';
import { KeyUsage } from './key-usage.js';
import { RequestLimit } from './request-limit.js';
import { SecurityEvents } from './security-events.js';

@Global()
@Module({
  providers: [
    AccessGate,
    Authentication,
    FailureLimit,
    Idempotency,
    KeyDirectory,
    KeyUsage,
    RequestLimit,
    SecurityEvents,
  ],
  exports: [AccessGate, Idempotency, KeyDirectory, SecurityEvents],
})
export class AccessModule {}
