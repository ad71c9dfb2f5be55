// The workflow of one conversation, from its first fact to its settled record. It is responsible for time: the watchdog while the
// conversation is live, the deadlines after its end. It begins by reading Postgres, so it can be restarted any number of times.
import {
  ActivityFailure,
  CancellationScope,
  condition,
  continueAsNew,
  defineSignal,
  isCancellation,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { ASK, AWAIT_RECORD, AWAIT_RECORDING, LOOK } from './activity-options.js';
import { describe, type WorkflowStatus } from './conversation-status.js';
import { WAKE, type ConversationNews } from './conversation.names.js';

export interface ConversationInput {
  /** conv_… */
  conversationId: string;
}

/** The result, as the Temporal UI shows it: states and reasons, no content. */
export type ConversationResult = Pick<WorkflowStatus, 'phase' | 'completeness'>;

const wakeSignal = defineSignal<[ConversationNews]>(WAKE);

/** All ids are public ones (`conv_…`). */
export interface ConversationActivities {
  /** Reads the conversation's status. */
  look(conversationId: string): Promise<WorkflowStatus>;
  /**
   * Asks the provider about a silent conversation; declares it lost if the provider does not know it for the second time in a row.
   * `refusals`: how often in a row it did not before; absent: 0.
   */
  askProvider(conversationId: string, refusals?: number): Promise<WorkflowStatus>;
  /** Fetches record, transcript and analysis; fails to be retried while one is pending, and declares it absent at its deadline. */
  fetchRecord(conversationId: string): Promise<WorkflowStatus>;
  /** Fetches and stores the recording; fails to be retried while it is pending, and declares it absent at its deadline. */
  fetchRecording(conversationId: string): Promise<WorkflowStatus>;
}

const { look } = proxyLocalActivities<ConversationActivities>({ ...LOOK, summary: 'Read the status' });
const { askProvider } = proxyActivities<ConversationActivities>({
  ...ASK,
  summary: 'Ask the provider whether it is still live',
});
const { fetchRecord } = proxyActivities<ConversationActivities>({
  ...AWAIT_RECORD,
  summary: "The provider's record, transcript and analysis",
});
const { fetchRecording } = proxyActivities<ConversationActivities>({ ...AWAIT_RECORDING, summary: 'The recording' });

export async function conversation({ conversationId }: ConversationInput): Promise<ConversationResult> {
  let ended = false;
  let woken = false;
  let late = false;
  setHandler(wakeSignal, (wake) => {
    ended ||= wake === 'ended';
    late ||= wake === 'late';
    woken = true;
  });

  let status = await look(conversationId);
  while (status.phase === 'live' && !ended) {
    setCurrentDetails(describe(status));
    const heard = await condition(() => woken, status.askInMs, { summary: 'Watchdog: until the provider is asked' });
    woken = false;
    if (ended) break;
    status = heard ? await look(conversationId) : await ask(conversationId, status);
    if (workflowInfo().continueAsNewSuggested && !ended) await continueAsNew<typeof conversation>({ conversationId });
  }

  // A signal that arrives while it settles may bring work that has been passed already: then it settles once more.
  do {
    late = false;
    if (status.phase !== 'gone') status = await settle(conversationId, status);
  } while (late);
  setCurrentDetails(describe(status));
  return { phase: status.phase, completeness: status.completeness };
}

/** The provider may refuse or be unavailable for long: the watchdog keeps waiting and says why. */
async function ask(conversationId: string, status: WorkflowStatus): Promise<WorkflowStatus> {
  try {
    // Statuses in older histories have no `refusals`.
    return await askProvider(conversationId, status.refusals ?? 0);
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error;
    // Messages of our own (activities/failures.ts), which contain no content.
    const why = error.cause?.message ?? 'the provider does not answer';
    return { ...status, askInMs: status.askEveryMs, waitingFor: `${why}; asking again later` };
  }
}

/** Fetches record and recording in parallel: neither waits for the other, and the recording's link may expire within minutes. */
async function settle(conversationId: string, status: WorkflowStatus): Promise<WorkflowStatus> {
  setCurrentDetails(
    describe({ ...status, phase: 'settling', waitingFor: 'record, transcript, analysis and recording' }),
  );
  const recording = new CancellationScope();
  const [afterRecord, afterRecording] = await Promise.all([
    fetchRecord(conversationId).then((after) => {
      // No need to wait for a download slot any longer if there is no recording.
      if (after.hasNoRecording === true) recording.cancel();
      return after;
    }),
    recording.run(() => fetchRecording(conversationId)).catch(unlessCancelled),
  ]);
  return afterRecording === null || afterRecord.revision > afterRecording.revision ? afterRecord : afterRecording;
}

function unlessCancelled(error: unknown): null {
  if (isCancellation(error)) return null;
  throw error;
}
