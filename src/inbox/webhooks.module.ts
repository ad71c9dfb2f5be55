// The webhook route and what it needs.
import { Module, type BeforeApplicationShutdown } from '@nestjs/common';
import { Log } from '../common/log.js';
import { IngestDatabase } from '../database/database.js';
import { ProviderAccounts } from '../providers/provider-accounts.js';
import { InboxModule } from './inbox.module.js';
import { Inbox } from './inbox.js';
import { KnownAccounts } from './known-accounts.js';
import { WebhookDoor } from './webhook-door.js';
import { WebhookGate } from './webhook-gate.js';
import { WebhookHealth } from './webhook-health.js';
import { WebhooksController } from './webhooks.controller.js';

@Module({
  imports: [InboxModule],
  controllers: [WebhooksController],
  providers: [
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
})
export class WebhooksModule implements BeforeApplicationShutdown {
  constructor(private readonly health: WebhookHealth) {}

  beforeApplicationShutdown(): Promise<void> {
    return this.health.close();
  }
}
