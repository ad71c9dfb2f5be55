import { Module } from '@nestjs/common';
import { EgressModule } from '../egress/egress.module.js';
import { InboxModule } from '../inbox/inbox.module.js';
import { AccountStore } from './account-store.js';
import { ProviderAccountsController } from './provider-accounts.controller.js';
import { ProviderAccountsService } from './provider-accounts.service.js';

@Module({
  imports: [InboxModule, EgressModule],
  controllers: [ProviderAccountsController],
  providers: [AccountStore, ProviderAccountsService],
})
export class ProviderAccountsModule {}
