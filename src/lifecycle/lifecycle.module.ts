// Services behind the activities of a conversation's workflow.
import { Module } from '@nestjs/common';
import { InboxModule } from '../inbox/inbox.module.js';
import { IntakeModule } from '../intake/intake.module.js';
import { GatewayModule } from '../providers/gateway/gateway.module.js';
import { Lifecycle } from './conversation-lifecycle.js';
import { SnapshotReader } from './conversation-snapshot.js';
import { RecordingFetcher } from './recording-fetcher.js';

@Module({
  imports: [InboxModule, IntakeModule, GatewayModule],
  providers: [SnapshotReader, Lifecycle, RecordingFetcher],
  exports: [SnapshotReader, Lifecycle, RecordingFetcher],
})
export class LifecycleModule {}
