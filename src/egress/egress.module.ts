// Provides {@link Egress} for injection.
import { Global, Module } from '@nestjs/common';
import { CONFIG } from '../config/config.module.js';
import { Egress } from './egress.js';
import { openEgress } from './open-egress.js';

@Global()
@Module({ providers: [{ provide: Egress, inject: [CONFIG], useFactory: openEgress }], exports: [Egress] })
export class EgressModule {}
