import { Module } from '@nestjs/common';
import { InboxModule } from '../inbox/inbox.module.js';
import { AccountStore } from './account-store.js';
import { ProviderAccountsController } from './provider-accounts.controller.js';
import { ProviderAccountsService } from './provider-accounts.service.js';

@Module({
  imports: [InboxModule],
  controllers: [ProviderAccountsController],
  providers: [AccountStore, ProviderAccountsService],
})
export class ProviderAccountsModule {}
