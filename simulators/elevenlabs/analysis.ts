// ElevenLabs' analysis after a conversation: success, summary, criteria, collected data.
import { Random } from '../random.js';
import type { Fields } from '../records.js';
import { isCallBackWanted, resultOf, summaryOf, type Result, type Said } from '../talk/outcome.js';
import type { TranscriptItem } from './conversation.js';
import type { Plan } from './plan.js';

const OUTCOMES: Record<string, string> = {
  agent_hangup: 'The agent ended the conversation.',
  customer_hangup: 'The customer ended the conversation.',
  transferred: 'The call was transferred to a colleague.',
  transfer_failed: 'A transfer was tried, but nobody was available.',
  voicemail: 'The agent reached voicemail.',
  silence: 'The customer stopped answering.',
  max_duration: 'The conversation was cut off at its maximum duration.',
  provider_error: 'The conversation broke off with an error.',
  unexplained: 'The conversation was closed.',
};

/** A request counts as fulfilled when it was fully discussed or a human colleague took over. */
function successOf(random: Random, plan: Plan, result: Result): 'success' | 'failure' | 'unknown' {
  const drawn = random.weighted(['success', 'failure', 'unknown'] as const, (value) =>
    value === 'success' ? 78 : value === 'failure' ? 14 : 8,
  );
  if (plan.end.outcome === 'voicemail' || plan.end.outcome === 'silence') return 'unknown';
  if (plan.end.outcome === 'provider_error' || plan.end.outcome === 'transfer_failed') return 'failure';
  const isFulfilled = result === 'settled' || plan.end.outcome === 'transferred';
  return drawn === 'success' && !isFulfilled ? 'failure' : drawn;
}

function criteria(random: Random, successful: string): Fields {
  const result = (id: string, value: string, rationale: string) => ({ criteria_id: id, result: value, rationale });
  return {
    resolved: result('resolved', successful, 'Judged by whether the request was fulfilled.'),
    polite: result('polite', random.chance(0.97) ? 'success' : 'failure', 'The agent stayed friendly throughout.'),
  };
}

function collected(plan: Plan, said: readonly Said[]): Fields {
  const { reference = '' } = plan.slots;
  const isTold = said.some(({ text }) => text.includes(reference));
  const item = (id: string, value: unknown, type: string) => ({
    data_collection_id: id,
    value,
    json_schema: { type, description: id.replaceAll('_', ' ') },
    rationale: value === null ? 'Not stated.' : 'By what was said.',
  });
  return {
    reference: item('reference', isTold ? reference : null, 'string'),
    callback_requested: item('callback_requested', isCallBackWanted(plan, said), 'boolean'),
  };
}

/** One block for the conversation, plus one per agent when several took part. */
function scoped(plan: Plan, successful: string): Fields[] {
  if (!plan.specialist) return [];
  const block = (scope: string, agentId: string) => ({
    scope,
    source_agent_id: agentId,
    source_branch_id: null,
    successful,
    success_score: successful === 'success' ? 1 : 0,
  });
  return [
    block('conversation', plan.agent.agent_id),
    block('agent', plan.agent.agent_id),
    block('agent', plan.specialist.agent_id),
  ];
}

/**
 * The analysis of the transcript; null when the call never connected. `run` is the number of the analysis: each run may
 * judge differently.
 */
export function analysisOf(plan: Plan, items: readonly TranscriptItem[], run = 1): Fields | null {
  if (!plan.end.connected) return null;
  const random = new Random(`${plan.seed} el analysis ${run}`);
  const said = items.flatMap(({ role, message, source_medium: medium }) =>
    message === null || medium === 'dtmf' ? [] : [{ isCustomer: role === 'user', text: message }],
  );
  const result = resultOf(plan, said);
  const successful = successOf(random, plan, result);
  const results = criteria(random, successful);
  const data = collected(plan, said);
  return {
    call_successful: successful,
    call_success_score: successful === 'unknown' ? null : successful === 'success' ? 1 : 0,
    transcript_summary: [
      // A voicemail box has no request to summarise.
      ...(plan.end.outcome === 'voicemail' ? [] : [summaryOf(plan, result)]),
      OUTCOMES[plan.end.outcome] ?? '',
      ...(run > 1 ? [`(analysis ${run})`] : []),
    ].join(' '),
    call_summary_title: plan.topic.key.replaceAll('_', ' '),
    evaluation_criteria_results: results,
    evaluation_criteria_results_list: Object.values(results),
    data_collection_results: data,
    data_collection_results_list: Object.values(data),
    scoped: scoped(plan, successful),
  };
}
