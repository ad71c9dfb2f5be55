// Activities of a conversation: arguments → one service call → mapped failure.
import { Context } from '@temporalio/activity';
import { uuidOf } from '../src/common/ids.js';
import type { Lifecycle } from '../src/lifecycle/conversation-lifecycle.js';
import type { ConversationView } from '../src/lifecycle/workflow-status.js';
import type { FetchProgress, RecordingFetcher } from '../src/lifecycle/recording-fetcher.js';
import { mapped } from './failures.js';
import { beating } from './heartbeat.js';

export type { ConversationView };

export interface ConversationActivities {
  /** Where the conversation stands. */
  look(conversationId: string): Promise<ConversationView>;
  /**
   * Asks the provider about a silent conversation; gives it up as lost when the provider does not know it for the second
   * time in a row. `refusals`: how often it did not before; absent: never.
   */
  askProvider(conversationId: string, refusals?: number): Promise<ConversationView>;
  /** Record, transcript and analysis: fetched, awaited, or declared absent at their deadlines. */
  fetchRecord(conversationId: string): Promise<ConversationView>;
  /** The recording: fetched and stored, awaited, or declared absent at its deadline. */
  fetchRecording(conversationId: string): Promise<ConversationView>;
}

interface Services {
  lifecycle: Lifecycle;
  recordings: RecordingFetcher;
}

/** The activities as a plain object of functions, which is what a Temporal worker takes. */
export function createConversationActivities({ lifecycle, recordings }: Services): ConversationActivities {
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
