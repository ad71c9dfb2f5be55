// Activities of a conversation: arguments → one service call → mapped failure.
import { Context } from '@temporalio/activity';
import { uuidOf } from '../src/common/ids.js';
import type { Lifecycle } from '../src/lifecycle/conversation-lifecycle.js';
import type { ConversationActivities } from '../workflows/conversation.workflow.js';
import type { FetchProgress, RecordingFetcher } from '../src/lifecycle/recording-fetcher.js';
import { mapped } from './failures.js';
import { beating } from './heartbeat.js';

/** The activities as a plain object of functions, which is what a Temporal worker takes. */
export function createConversationActivities(
  lifecycle: Lifecycle,
  recordings: RecordingFetcher,
): ConversationActivities {
  const uuid = (conversationId: string): string => uuidOf('conversation', conversationId);
  return {
    look: (id) => mapped(() => lifecycle.look(uuid(id))),
    askProvider: (id, refusals) => mapped(() => lifecycle.askProvider(uuid(id), refusals)),
    fetchRecord: (id) => mapped(() => beating(() => lifecycle.fetchRecord(uuid(id), Context.current().info.attempt))),
    fetchRecording: (id) =>
      mapped(() => {
        const { info, cancellationSignal } = Context.current();
        const progress = (info.heartbeatDetails as FetchProgress | undefined) ?? null;
        return beating(() => recordings.fetch(uuid(id), { progress, signal: cancellationSignal }));
      }),
  };
}
