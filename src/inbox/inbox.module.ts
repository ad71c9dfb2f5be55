// The way in: accounts with their secrets, the inbox and its door, in the role that may append and not much else.
import { Module } from '@nestjs/common';
import { IngestDatabase } from '../database/database.js';
import { Notifier } from '../database/notifier.js';
import { ProviderAccounts } from '../providers/provider-accounts.js';
import { VaultService } from '../vault/vault.service.js';
import { Inbox } from './inbox.js';
import { ParkedFactsController } from './parked-facts.controller.js';
import { ParkedFactsService } from './parked-facts.service.js';
import { WebhookDoor } from './webhook-door.js';
import { WebhooksController } from './webhooks.controller.js';

@Module({
  controllers: [WebhooksController, ParkedFactsController],
  providers: [
    ParkedFactsService,
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
    {
      provide: WebhookDoor,
      inject: [ProviderAccounts, Inbox],
      useFactory: (accounts: ProviderAccounts, inbox: Inbox) => new WebhookDoor(accounts, inbox),
    },
  ],
  exports: [ProviderAccounts],
})
export class InboxModule {}
