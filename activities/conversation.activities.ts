// Activities of the conversation workflow: arguments → one service call → mapped failure.
import { Context } from '@temporalio/activity';
import { uuidOf } from '../src/common/ids.js';
import type { Lifecycle } from '../src/lifecycle/conversation-lifecycle.js';
import type { ConversationActivities } from '../workflows/conversation.workflow.js';
import type { FetchProgress, RecordingFetcher } from '../src/lifecycle/recording-fetcher.js';
import { mapFailures } from './failures.js';
import { withHeartbeat } from './heartbeat.js';

/** The activities as a plain object of functions, as a Temporal worker expects them. */
export function createConversationActivities(
  lifecycle: Lifecycle,
  recordings: RecordingFetcher,
): ConversationActivities {
  const uuid = (conversationId: string): string => uuidOf('conversation', conversationId);
  return {
    look: (id) => mapFailures(() => lifecycle.look(uuid(id))),
    askProvider: (id, refusals) => mapFailures(() => lifecycle.askProvider(uuid(id), refusals)),
    fetchRecord: (id) =>
      mapFailures(() => withHeartbeat(() => lifecycle.fetchRecord(uuid(id), Context.current().info.attempt))),
    fetchRecording: (id) =>
      mapFailures(() => {
        const { info, cancellationSignal } = Context.current();
        const progress = (info.heartbeatDetails as FetchProgress | undefined) ?? null;
        return withHeartbeat(() => recordings.fetch(uuid(id), { progress, signal: cancellationSignal }));
      }),
  };
}
