// The settings and the log of this process, for injection.
import { Global, Module, type DynamicModule } from '@nestjs/common';
import type { Config } from './config.js';
import { Log } from '../common/log.js';

/** Injection token of {@link Config}, which is an interface. */
export const CONFIG = Symbol('config');

@Global()
@Module({})
export class SettingsModule {
  /** Provides {@link CONFIG} and {@link Log} everywhere. */
  static of(config: Config, log: Log): DynamicModule {
    return {
      module: SettingsModule,
      providers: [
        { provide: CONFIG, useValue: config },
        { provide: Log, useValue: log },
      ],
      exports: [CONFIG, Log],
    };
  }
}
