import { Module } from '@nestjs/common';
import { failedAuthentications } from '../access/failed-authentications.js';
import { ApiDatabase, IngestDatabase } from '../database/database.js';
import { Exposition } from './exposition.js';
import { MetricsController } from './metrics.controller.js';
import { watchPools } from './pool-use.js';

@Module({
  controllers: [MetricsController],
  providers: [
    {
      provide: Exposition,
      inject: [ApiDatabase, IngestDatabase],
      useFactory: (api: ApiDatabase, ingest: IngestDatabase) => {
        const exposition = new Exposition();
        exposition.registry.registerMetric(failedAuthentications);
        watchPools(exposition.registry, { api, ingest });
        return exposition;
      },
    },
  ],
})
export class ObservabilityModule {}
