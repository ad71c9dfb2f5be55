import { Module } from '@nestjs/common';
import { CONFIG } from '../../config/config.module.js';
import type { Config } from '../../config/config.js';
import { Clock } from '../../common/clock.js';
import { Log } from '../../common/log.js';
import { WorkerDatabase } from '../../database/database.js';
import { Egress } from '../../egress/egress.js';
import { ProviderGateway } from './gateway.js';
import { openGateway } from './open-gateway.js';

@Module({
  providers: [
    {
      provide: ProviderGateway,
      inject: [CONFIG, WorkerDatabase, Egress, Clock, Log],
      useFactory: (config: Config, database: WorkerDatabase, egress: Egress, clock: Clock, log: Log) =>
        openGateway({ database, log, egress, clock, requestRate: config.providerRate }),
    },
  ],
  exports: [ProviderGateway],
})
export class GatewayModule {}
