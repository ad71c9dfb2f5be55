// The Temporal part of the API process: a probe for /readyz.
import { Inject, Injectable, Module, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import type { Connection } from '@temporalio/client';
import { CONFIG } from '../config/config.module.js';
import type { Config } from '../config/config.js';
import { HealthProbes } from '../health/probes.js';
import { lazyConnection } from './connection.js';

@Injectable()
class TemporalProbe implements OnModuleInit, OnApplicationShutdown {
  private connection: Connection | undefined;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly probes: HealthProbes,
  ) {}

  async onModuleInit(): Promise<void> {
    const connection = await lazyConnection(this.config.temporal);
    this.connection = connection;
    const check = async (): Promise<void> => {
      await connection.withDeadline(Date.now() + 2_000, () => connection.workflowService.getSystemInfo({}));
    };
    // Reported but does not fail /readyz: webhooks and reads work without Temporal.
    this.probes.add({ name: 'temporal', check, code: null });
  }

  async onApplicationShutdown(): Promise<void> {
    await this.connection?.close();
  }
}

@Module({ providers: [TemporalProbe] })
export class TemporalModule {}
