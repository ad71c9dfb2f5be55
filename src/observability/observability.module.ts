import { Module } from '@nestjs/common';
import { failedAuthentications } from '../access/failed-authentications.js';
import { ApiDatabase, IngestDatabase } from '../database/database.js';
import { SearchDatabase } from '../database/search/search-database.js';
import { ApiMetrics } from './api-metrics.js';
import { Exposition } from './exposition.js';
import { watchPools } from './pool-gauges.js';

@Module({
  providers: [
    ApiMetrics,
    {
      provide: Exposition,
      inject: [ApiDatabase, IngestDatabase, SearchDatabase],
      useFactory: (api: ApiDatabase, ingest: IngestDatabase, search: SearchDatabase) => {
        const exposition = new Exposition();
        exposition.registry.registerMetric(failedAuthentications);
        watchPools(exposition.registry, { api, ingest, search });
        return exposition;
      },
    },
  ],
})
export class ObservabilityModule {}
