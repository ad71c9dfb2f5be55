// The way in: accounts with their secrets and the inbox, in the role that may append and not much else.
import { Module } from '@nestjs/common';
import { IngestDatabase } from '../database/database.js';
import { Notifier } from '../database/notifier.js';
import { ProviderAccounts } from '../providers/provider-accounts.js';
import { VaultService } from '../vault/vault.service.js';
import { Inbox } from './inbox.js';

@Module({
  providers: [
    {
      provide: ProviderAccounts,
      inject: [IngestDatabase, VaultService],
      useFactory: (database: IngestDatabase, vault: VaultService) => new ProviderAccounts(database, vault),
    },
    {
      provide: Inbox,
      inject: [IngestDatabase, VaultService],
      useFactory: (database: IngestDatabase, vault: VaultService) => new Inbox(database, vault, new Notifier(database)),
    },
  ],
  exports: [ProviderAccounts, Inbox],
})
export class InboxModule {}
