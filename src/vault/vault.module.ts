import { Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { config, required } from '../config/config.js';
import { openVault } from './open-vault.js';
import { VaultService } from './vault.service.js';

@Module({
  providers: [
    {
      provide: VaultService,
      useFactory: () =>
        openVault({
          keystoreUrl: required(config().keystoreDatabaseUrl, 'KEYSTORE_DATABASE_URL'),
          rootKeyFile: config().rootKeyFile,
        }),
    },
  ],
  exports: [VaultService],
})
export class VaultModule implements OnApplicationShutdown {
  constructor(@Inject(VaultService) private readonly vault: VaultService) {}

  onApplicationShutdown(): Promise<void> {
    return this.vault.close();
  }
}
