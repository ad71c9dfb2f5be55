import { Global, Module } from '@nestjs/common';
import { CONFIG } from '../config/config.module.js';
import { openObjectStore } from './open-object-store.js';

/** Injection token of the {@link ObjectStore} that the settings name. */
export const OBJECT_STORE = Symbol('object store');

@Global()
@Module({
  providers: [{ provide: OBJECT_STORE, inject: [CONFIG], useFactory: openObjectStore }],
  exports: [OBJECT_STORE],
})
export class ObjectStoreModule {}
