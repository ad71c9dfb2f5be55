// The API's metrics port, separate from the one that callers reach. Open for as long as the process runs.
import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Log } from '../common/log.js';
import { CONFIG } from '../config/config.module.js';
import { ConfigError, type Config } from '../config/config.js';
import { Exposition } from './exposition.js';
import { serveMetrics, type MetricsServer } from './metrics-server.js';

@Injectable()
export class ApiMetrics implements OnApplicationBootstrap, OnApplicationShutdown {
  private server: MetricsServer | undefined;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly exposition: Exposition,
    private readonly log: Log,
  ) {}

  /** Throws {@link ConfigError} if the port is not available. */
  async onApplicationBootstrap(): Promise<void> {
    const { host, metricsPort } = this.config;
    if (metricsPort === undefined) return;
    this.server = await serveMetrics({ host, port: metricsPort }, () => this.exposition.text()).catch(
      (cause: unknown) => {
        throw new ConfigError(`COLLOQUY_METRICS_PORT: ${metricsPort} cannot be listened on`, { cause });
      },
    );
    this.log.info('api metrics ready', { metrics_port: this.server.port });
  }

  async onApplicationShutdown(): Promise<void> {
    await this.server?.close();
  }
}
