// Retell's analysis after a call: summary, success, sentiment.
import { Random } from '../random.js';
import type { CallAnalysis, RetellCall } from './call.js';
import { isCallBackWanted, resultOf, summaryOf, type Result, type Said } from '../talk/outcome.js';
import type { CallPlan } from './plan.js';

const OUTCOMES: Record<string, string> = {
  agent_hangup: 'The agent ended the call.',
  call_transfer: 'The call was transferred to a colleague.',
  transfer_bridged: 'The call was handed over to a colleague.',
  transfer_cancelled: 'A transfer was attempted, but nobody was available.',
  voicemail_reached: 'The agent reached voicemail.',
  ivr_reached: 'The agent reached an automated menu and could not get through.',
  inactivity: 'The customer stopped answering and the call was ended.',
  max_duration_reached: 'The call was cut off at the maximum duration.',
  manual_stopped: 'The call was stopped by hand.',
  call_take_over: 'A person took over the call.',
};
const HANDED_OVER = new Set(['call_transfer', 'transfer_bridged', 'call_take_over']);
const HUNG_UP = new Set(['user_hangup', 'agent_hangup']);
/** No person was reached. */
const MACHINES = new Set(['voicemail_reached', 'ivr_reached']);

function sentimentOf(random: Random, isConnected: boolean): string {
  if (!isConnected) return 'Unknown';
  const shares = { Positive: 38, Neutral: 44, Negative: 13, Unknown: 5 };
  return random.weighted(['Positive', 'Neutral', 'Negative', 'Unknown'] as const, (label) => shares[label]);
}

/** What was said in a call, from the words in its document. */
export const saidIn = ({ transcript_object: items = [] }: Pick<RetellCall, 'transcript_object'>): Said[] =>
  items.flatMap((item) => ('words' in item ? [{ isCustomer: item.role === 'user', text: item.content }] : []));

/** Whether the request was fulfilled or transferred to somebody else. */
const isSuccess = (reason: string, result: Result): boolean =>
  HANDED_OVER.has(reason) || (HUNG_UP.has(reason) && result === 'settled');

/** The analysis of a call, from what was said. A call that never connected has neither a summary nor a sentiment. */
export function analysisOf(plan: CallPlan, said: readonly Said[]): CallAnalysis {
  const random = new Random(`${plan.seed} analysis`);
  const { reason, connected, status } = plan.reason;
  const result = resultOf(plan, said);
  const isReached = !MACHINES.has(reason);
  const sentiment = sentimentOf(random, connected && isReached && result !== 'unheard');
  const verdict = {
    call_successful: random.chance(0.94) && isSuccess(reason, result),
    in_voicemail: reason === 'voicemail_reached',
  };
  if (!connected) return { ...verdict, user_sentiment: sentiment };
  const outcome =
    OUTCOMES[reason] ?? (status === 'error' ? 'The call broke off with an error.' : 'The customer ended the call.');
  return {
    call_summary: isReached ? `${summaryOf(plan, result)} ${outcome}` : outcome,
    ...verdict,
    user_sentiment: sentiment,
    custom_analysis_data: { topic: plan.topic.key, callback_requested: isCallBackWanted(plan, said) },
  };
}
