import { Global, Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { CONFIG } from '../config/config.module.js';
import { required, type Config } from '../config/config.js';
import { openVault } from './open-vault.js';
import { VaultService } from './vault.service.js';

@Global()
@Module({
  providers: [
    {
      provide: VaultService,
      inject: [CONFIG],
      useFactory: ({ keystoreDatabaseUrl, rootKeyFile }: Config) =>
        openVault({
          keystoreUrl: required(keystoreDatabaseUrl, 'KEYSTORE_DATABASE_URL'),
          rootKeyFile,
          role: 'colloquy_keystore_api',
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
