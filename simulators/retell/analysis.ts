// Retell's analysis after a call: summary, success, sentiment.
import { Random } from '../random.js';
import type { CallAnalysis } from './call.js';
import { fill } from '../talk/lines.js';
import type { CallPlan } from './plan.js';

const OUTCOMES: Record<string, string> = {
  agent_hangup: 'The request was completed and the agent ended the call.',
  call_transfer: 'The call was transferred to a colleague.',
  transfer_bridged: 'The call was handed over to a colleague.',
  transfer_cancelled: 'A transfer was attempted, but nobody was available; a call back was offered.',
  voicemail_reached: 'The agent reached voicemail and left a message.',
  ivr_reached: 'The agent reached an automated menu and could not get through.',
  inactivity: 'The customer stopped answering and the call was ended.',
  max_duration_reached: 'The call was cut off at the maximum duration.',
  manual_stopped: 'The call was stopped by hand.',
  call_take_over: 'A person took over the call.',
};
const SUCCESSFUL = new Set(['user_hangup', 'agent_hangup', 'call_transfer', 'transfer_bridged', 'call_take_over']);

function sentimentOf(random: Random, isConnected: boolean): string {
  if (!isConnected) return 'Unknown';
  const shares = { Positive: 38, Neutral: 44, Negative: 13, Unknown: 5 };
  return random.weighted(['Positive', 'Neutral', 'Negative', 'Unknown'] as const, (label) => shares[label]);
}

/** The analysis of a call. One that was never connected has neither a summary nor a sentiment. */
export function analysisOf(plan: CallPlan): CallAnalysis {
  const random = new Random(`${plan.seed} analysis`);
  const { reason, connected, status } = plan.reason;
  const sentiment = sentimentOf(random, connected && reason !== 'voicemail_reached' && reason !== 'ivr_reached');
  const verdict = {
    call_successful: SUCCESSFUL.has(reason) && random.chance(0.88),
    in_voicemail: reason === 'voicemail_reached',
  };
  if (!connected) return { ...verdict, user_sentiment: sentiment };
  const outcome =
    OUTCOMES[reason] ?? (status === 'error' ? 'The call broke off with an error.' : 'The customer ended the call.');
  const isReached = reason !== 'voicemail_reached' && reason !== 'ivr_reached';
  return {
    call_summary: isReached ? `${fill(plan.topic.summary, plan.slots)} ${outcome}` : outcome,
    ...verdict,
    user_sentiment: sentiment,
    custom_analysis_data: { topic: plan.topic.key, callback_requested: random.chance(0.15) },
  };
}
