import { Global, Module } from '@nestjs/common';
import { AccessGate } from './access-gate.js';
import { ApiKeyStore } from './api-key-store.js';
import { ApiKeysController } from './api-keys.controller.js';
import { ApiKeysService } from './api-keys.service.js';
import { BootstrapKeys } from './bootstrap-keys.js';
import { Idempotency } from './idempotency.js';
import { KeyDirectory } from './key-directory.js';
import { KeyUsage } from './key-usage.js';
import { RequestLimit } from './request-limit.js';

@Global()
@Module({
  controllers: [ApiKeysController],
  providers: [
    AccessGate,
    ApiKeyStore,
    ApiKeysService,
    BootstrapKeys,
    Idempotency,
    KeyDirectory,
    KeyUsage,
    RequestLimit,
  ],
  exports: [AccessGate, Idempotency],
})
export class AccessModule {}
