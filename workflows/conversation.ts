// One conversation from its first fact to its settled record. It owns time: the watchdog while it is live, the deadlines
// after its end. It begins by reading Postgres, so it may be started anew at any moment, as often as anybody likes.
import {
  ActivityFailure,
  CancellationScope,
  condition,
  continueAsNew,
  isCancellation,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { ConversationActivities, ConversationView } from '../activities/conversation.activities.js';
import { ASK, AWAIT_RECORD, AWAIT_RECORDING, LOOK } from './activity-options.js';
import { describe } from './details.js';
import { wakeSignal, type ConversationInput } from './messages.js';

const { look } = proxyLocalActivities<ConversationActivities>({ ...LOOK, summary: 'Where it stands' });
const { askProvider } = proxyActivities<ConversationActivities>({
  ...ASK,
  summary: 'Ask the provider whether it is still live',
});
const { fetchRecord } = proxyActivities<ConversationActivities>({
  ...AWAIT_RECORD,
  summary: "The provider's record, transcript and analysis",
});
const { fetchRecording } = proxyActivities<ConversationActivities>({ ...AWAIT_RECORDING, summary: 'The recording' });

/** What the Temporal UI shows as the result: states and reasons, no content. */
export type ConversationResult = Pick<ConversationView, 'phase' | 'completeness'>;

export async function conversation({ conversationId }: ConversationInput): Promise<ConversationResult> {
  let ended = false;
  let woken = false;
  let late = false;
  setHandler(wakeSignal, (wake) => {
    ended ||= wake === 'ended';
    late ||= wake === 'late';
    woken = true;
  });

  let view = await look(conversationId);
  while (view.phase === 'live' && !ended) {
    setCurrentDetails(describe(view));
    const heard = await condition(() => woken, view.askInMs, { summary: 'Watchdog: until the provider is asked' });
    woken = false;
    if (ended) break;
    view = heard ? await look(conversationId) : await ask(conversationId, view);
    if (workflowInfo().continueAsNewSuggested && !ended) await continueAsNew<typeof conversation>({ conversationId });
  }

  // News that arrives while it settles may bring work that has already been passed: then once more.
  do {
    late = false;
    if (view.phase !== 'gone') view = await settle(conversationId, view);
  } while (late);
  setCurrentDetails(describe(view));
  return { phase: view.phase, completeness: view.completeness };
}

/** The provider may refuse or be away for long: the watchdog goes on waiting, and says why. */
async function ask(conversationId: string, view: ConversationView): Promise<ConversationView> {
  try {
    // Views of older histories do not count refusals.
    return await askProvider(conversationId, view.refusals ?? 0);
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error;
    // Our own words (activities/failures.ts): they hold no content.
    const why = error.cause?.message ?? 'the provider does not answer';
    return { ...view, askInMs: view.askEveryMs, waitingFor: `${why}; asking again later` };
  }
}

/** Record and recording side by side: neither waits for the other, and the recording's link may die within minutes. */
async function settle(conversationId: string, view: ConversationView): Promise<ConversationView> {
  setCurrentDetails(describe({ ...view, phase: 'settling', waitingFor: 'record, transcript, analysis and recording' }));
  const recording = new CancellationScope();
  const [afterRecord, afterRecording] = await Promise.all([
    fetchRecord(conversationId).then((after) => {
      // Nobody waits for a place among the downloads of others, only to hear that there is no recording.
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
