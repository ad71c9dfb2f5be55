// The way in: accounts with their secrets, the inbox and its door, in the role that may append and not much else.
import { Module, type BeforeApplicationShutdown } from '@nestjs/common';
import { Log } from '../common/log.js';
import { IngestDatabase } from '../database/database.js';
import { Notifier } from '../database/notifier.js';
import { ProviderAccounts } from '../providers/provider-accounts.js';
import { VaultService } from '../vault/vault.service.js';
import { Inbox } from './inbox.js';
import { KnownAccounts } from './known-accounts.js';
import { ParkedFactsController } from './parked-facts.controller.js';
import { ParkedFactsRetry } from './parked-facts-retry.js';
import { ParkedFactsService } from './parked-facts.service.js';
import { WebhookDoor } from './webhook-door.js';
import { WebhookGate } from './webhook-gate.js';
import { WebhookHealth } from './webhook-health.js';
import { WebhooksController } from './webhooks.controller.js';

@Module({
  controllers: [WebhooksController, ParkedFactsController],
  providers: [
    ParkedFactsRetry,
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
      inject: [ProviderAccounts, Inbox, WebhookHealth],
      useFactory: (accounts: ProviderAccounts, inbox: Inbox, health: WebhookHealth) =>
        new WebhookDoor(accounts, inbox, health),
    },
    {
      provide: WebhookGate,
      inject: [IngestDatabase, WebhookHealth],
      useFactory: (database: IngestDatabase, health: WebhookHealth) =>
        new WebhookGate(new KnownAccounts(database), health),
    },
    {
      provide: WebhookHealth,
      inject: [IngestDatabase, Log],
      useFactory: (database: IngestDatabase, log: Log) => new WebhookHealth(database, log),
    },
  ],
  exports: [ProviderAccounts],
})
export class InboxModule implements BeforeApplicationShutdown {
  constructor(private readonly health: WebhookHealth) {}

  beforeApplicationShutdown(): Promise<void> {
    return this.health.close();
  }
}
