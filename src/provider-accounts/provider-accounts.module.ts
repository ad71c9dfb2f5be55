import { Module } from '@nestjs/common';
import { CONFIG } from '../config/config.module.js';
import type { Config } from '../config/config.js';
import { Egress } from '../egress/egress.js';
import { openEgress } from '../egress/open-egress.js';
import { InboxModule } from '../inbox/inbox.module.js';
import { AccountStore } from './account-store.js';
import { ProviderAccountsController } from './provider-accounts.controller.js';
import { ProviderAccountsService } from './provider-accounts.service.js';

@Module({
  imports: [InboxModule],
  controllers: [ProviderAccountsController],
  providers: [
    AccountStore,
    ProviderAccountsService,
    { provide: Egress, inject: [CONFIG], useFactory: (config: Config) => openEgress(config) },
  ],
})
export class ProviderAccountsModule {}
