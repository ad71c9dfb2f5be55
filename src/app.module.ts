// The API process: what it is made of.
import { Module, type DynamicModule } from '@nestjs/common';
import { AccessModule } from './access/access.module.js';
import type { Log } from './common/log.js';
import { SettingsModule } from './common/settings.js';
import { SigningModule } from './common/signing.module.js';
import type { Config } from './config/config.js';
import { DatabaseModule } from './database/database.module.js';
import { HealthModule } from './health/health.module.js';
import { VaultModule } from './vault/vault.module.js';

@Module({})
export class AppModule {
  static of(config: Config, log: Log): DynamicModule {
    return {
      module: AppModule,
      imports: [
        SettingsModule.of(config, log),
        DatabaseModule.forApi(),
        VaultModule,
        SigningModule,
        AccessModule,
        HealthModule,
      ],
    };
  }
}
