// The modules of the API process.
import { Module, type DynamicModule } from '@nestjs/common';
import { AccessModule } from './access/access.module.js';
import { ApiKeysModule } from './api-keys/api-keys.module.js';
import { AgentsModule } from './agents/agents.module.js';
import { ClientsModule } from './clients/clients.module.js';
import type { Log } from './common/log.js';
import { ConfigModule } from './config/config.module.js';
import { HttpModule } from './http/http.module.js';
import type { Config } from './config/config.js';
import { ConversationsModule } from './conversations/conversations.module.js';
import { DatabaseModule } from './database/database.module.js';
import { SearchDatabaseModule } from './database/search/search-database.module.js';
import { HealthModule } from './health/health.module.js';
import { ParkedFactsModule } from './inbox/parked-facts.module.js';
import { WebhooksModule } from './inbox/webhooks.module.js';
import { ObservabilityModule } from './observability/observability.module.js';
import { LookUpsModule } from './search/look-ups.module.js';
import { ProviderAccountsModule } from './provider-accounts/provider-accounts.module.js';
import { RecordingsModule } from './recordings/recordings.module.js';
import { TemporalModule } from './temporal/temporal.module.js';
import { TranscriptsModule } from './transcripts/transcripts.module.js';
import { VaultModule } from './vault/vault.module.js';

/** Modules with routes, one line each; the global ones are imported below. */
const FEATURES = [
  HealthModule,
  ObservabilityModule,
  ApiKeysModule,
  WebhooksModule,
  ParkedFactsModule,
  ClientsModule,
  AgentsModule,
  ProviderAccountsModule,
  ConversationsModule,
  TranscriptsModule,
  RecordingsModule,
  LookUpsModule,
  TemporalModule,
];

@Module({})
export class AppModule {
  static of(config: Config, log: Log): DynamicModule {
    const foundations = [
      ConfigModule.of(config, log),
      DatabaseModule.forApi(),
      VaultModule.as('colloquy_keystore_api'),
      SearchDatabaseModule.as('colloquy_search_api'),
      HttpModule,
    ];
    return { module: AppModule, imports: [...foundations, AccessModule, ...FEATURES] };
  }
}
