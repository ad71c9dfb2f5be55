import { Global, Inject, Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common';
import { CONFIG } from '../config/config.module.js';
import { required, type Config } from '../config/config.js';
import type { KeystoreRole } from './keystore/keystore-data-source.js';
import { openVault } from './open-vault.js';
import { VaultService } from './vault.service.js';

@Global()
@Module({})
export class VaultModule implements OnApplicationShutdown {
  constructor(@Inject(VaultService) private readonly vault: VaultService) {}

  /** Provides {@link VaultService}, connected in the role of the process. */
  static as(role: KeystoreRole): DynamicModule {
    const open = ({ keystoreDatabaseUrl, rootKeyFile }: Config): Promise<VaultService> =>
      openVault({ keystoreUrl: required(keystoreDatabaseUrl, 'KEYSTORE_DATABASE_URL'), rootKeyFile, role });
    return {
      module: VaultModule,
      providers: [{ provide: VaultService, inject: [CONFIG], useFactory: open }],
      exports: [VaultService],
    };
  }

  onApplicationShutdown(): Promise<void> {
    return this.vault.close();
  }
}
