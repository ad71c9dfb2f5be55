import { Module } from '@nestjs/common';
import { ApiKeyStore } from './api-key-store.js';
import { ApiKeysController } from './api-keys.controller.js';
import { ApiKeysService } from './api-keys.service.js';
import { BootstrapKeys } from './bootstrap-keys.js';
import { KeyChanges } from './key-changes.js';
import { RotationLimit } from './rotation-limit.js';

@Module({
  controllers: [ApiKeysController],
  providers: [ApiKeyStore, ApiKeysService, BootstrapKeys, KeyChanges, RotationLimit],
})
export class ApiKeysModule {}
