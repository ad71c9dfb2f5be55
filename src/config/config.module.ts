// Provides settings, log and clock for injection.
import { Global, Module, type DynamicModule } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import type { Config } from './config.js';
import { Log } from '../common/log.js';

/** Injection token of {@link Config}, which is an interface. */
export const CONFIG = Symbol('config');

@Global()
@Module({})
export class ConfigModule {
  /** Provides {@link CONFIG}, {@link Log} and {@link Clock} everywhere. */
  static of(config: Config, log: Log, clock = new Clock()): DynamicModule {
    return {
      module: ConfigModule,
      providers: [
        { provide: CONFIG, useValue: config },
        { provide: Log, useValue: log },
        { provide: Clock, useValue: clock },
      ],
      exports: [CONFIG, Log, Clock],
    };
  }
}
