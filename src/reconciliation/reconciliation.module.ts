// Finds conversations that the provider has and we lack: the past of an account (backfill) and live ones (polling).
import { Module } from '@nestjs/common';
import { InboxModule } from '../inbox/inbox.module.js';
import { IntakeModule } from '../intake/intake.module.js';
import { LifecycleModule } from '../lifecycle/lifecycle.module.js';
import { GatewayModule } from '../providers/gateway/gateway.module.js';
import { BackfillStore } from './backfill-store.js';
import { BackfillWalk } from './backfill-walk.js';
import { DuePolls } from './due-polls.js';
import { Importer } from './importer.js';
import { ListedConversations } from './listed-conversations.js';
import { ListedIdentities } from './listed-identities.js';
import { LivePoll } from './live-poll.js';
import { PollLeases } from './poll-leases.js';

@Module({
  imports: [InboxModule, IntakeModule, LifecycleModule, GatewayModule],
  providers: [
    ListedIdentities,
    Importer,
    ListedConversations,
    BackfillStore,
    BackfillWalk,
    LivePoll,
    PollLeases,
    DuePolls,
  ],
  exports: [BackfillWalk, DuePolls],
})
export class ReconciliationModule {}
