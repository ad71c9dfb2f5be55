import { Global, Module } from '@nestjs/common';
import { AccessGate } from './access-gate.js';
import { Authentication } from './authentication.js';
import { ApiKeyStore } from '../api-keys/api-key-store.js';
import { ApiKeysController } from '../api-keys/api-keys.controller.js';
import { ApiKeysService } from '../api-keys/api-keys.service.js';
import { BootstrapKeys } from '../api-keys/bootstrap-keys.js';
import { FailureLimit } from './failure-limit.js';
import { Idempotency } from './idempotency.js';
import { KeyChanges } from '../api-keys/key-changes.js';
import { KeyDirectory } from './key-directory.js';
import { KeyUsage } from './key-usage.js';
import { RequestLimit } from './request-limit.js';
import { SecurityEvents } from './security-events.js';

@Global()
@Module({
  controllers: [ApiKeysController],
  providers: [
    AccessGate,
    Authentication,
    ApiKeyStore,
    ApiKeysService,
    BootstrapKeys,
    FailureLimit,
    Idempotency,
    KeyChanges,
    KeyDirectory,
    KeyUsage,
    RequestLimit,
    SecurityEvents,
  ],
  exports: [AccessGate, Idempotency],
})
export class AccessModule {}
