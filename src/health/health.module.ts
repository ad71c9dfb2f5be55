import { Global, Module } from '@nestjs/common';
import { ApiDatabase } from '../database/database.js';
import { SearchDatabase } from '../database/search/search-database.js';
import { VaultService } from '../vault/vault.service.js';
import { HealthController } from './health.controller.js';
import { HealthProbes } from './probes.js';

@Global()
@Module({
  controllers: [HealthController],
  providers: [
    {
      provide: HealthProbes,
      inject: [ApiDatabase, VaultService, SearchDatabase],
      useFactory: (database: ApiDatabase, vault: VaultService, search: SearchDatabase) => {
        const probes = new HealthProbes();
        probes.add({ name: 'postgres', check: () => database.ping(), code: 'storage_unavailable' });
        probes.add({ name: 'keystore', check: () => vault.ping(), code: 'keystore_unavailable' });
        // Only look-ups by number or id need it.
        probes.add({ name: 'search', check: () => search.ping(), code: null });
        return probes;
      },
    },
  ],
  exports: [HealthProbes],
})
export class HealthModule {}
