// Provides the connection pools of a process, one per role, and closes them last at shutdown.
import {
  Inject,
  Injectable,
  Module,
  type DynamicModule,
  type OnApplicationShutdown,
  type Provider,
  type Type,
} from '@nestjs/common';
import { CONFIG } from '../config/config.module.js';
import { required, type Config } from '../config/config.js';
import { createDataSource, type DatabaseRole } from './data-source.js';
import { ApiDatabase, Database, IngestDatabase, WorkerDatabase } from './database.js';
import { Notifier } from './notifier.js';

interface Pool {
  provide: Type<Database>;
  role: DatabaseRole;
  poolSize: number;
}

const API_POOLS: Pool[] = [
  { provide: ApiDatabase, role: 'colloquy_api', poolSize: 20 },
  { provide: IngestDatabase, role: 'colloquy_ingest', poolSize: 6 },
];
const WORKER_POOLS: Pool[] = [{ provide: WorkerDatabase, role: 'colloquy_worker', poolSize: 20 }];

const POOLS = Symbol('pools');

@Injectable()
class PoolCloser implements OnApplicationShutdown {
  constructor(@Inject(POOLS) private readonly pools: Database[]) {}

  async onApplicationShutdown(): Promise<void> {
    await Promise.all(this.pools.map((pool) => pool.close()));
  }
}

@Module({})
export class DatabaseModule {
  /** {@link ApiDatabase}, {@link IngestDatabase} and their {@link Notifier}. */
  static forApi(): DynamicModule {
    return moduleOf(API_POOLS);
  }

  /** {@link WorkerDatabase}, also provided as {@link IngestDatabase}, and their {@link Notifier}. */
  static forWorker(): DynamicModule {
    return moduleOf(WORKER_POOLS, [{ provide: IngestDatabase, useExisting: WorkerDatabase }]);
  }
}

function moduleOf(pools: Pool[], aliases: Provider[] = []): DynamicModule {
  const classes = pools.map(({ provide }) => provide);
  return {
    module: DatabaseModule,
    global: true,
    providers: [
      ...pools.map((pool) => ({
        provide: pool.provide,
        inject: [CONFIG],
        useFactory: (config: Config) => openPool(pool, config),
      })),
      { provide: POOLS, inject: classes, useFactory: (...opened: Database[]) => opened },
      PoolCloser,
      ...aliases,
      { provide: Notifier, inject: [IngestDatabase], useFactory: (database: IngestDatabase) => new Notifier(database) },
    ],
    exports: [...classes, IngestDatabase, Notifier],
  };
}

async function openPool({ provide, role, poolSize }: Pool, { databaseUrl }: Config): Promise<Database> {
  const url = required(databaseUrl, 'DATABASE_URL');
  const source = createDataSource({ url, role, poolSize, applicationName: role });
  return new provide(await source.initialize());
}
