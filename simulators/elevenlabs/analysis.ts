// ElevenLabs' analysis after a conversation: success, summary, criteria, collected data.
import { Random } from '../random.js';
import type { Fields } from '../records.js';
import { fill } from '../talk/lines.js';
import type { Plan } from './plan.js';

const OUTCOMES: Record<string, string> = {
  agent_hangup: 'The request was completed and the agent ended the conversation.',
  customer_hangup: 'The customer ended the conversation.',
  transferred: 'The call was transferred to a colleague.',
  transfer_failed: 'A transfer was tried, but nobody was available.',
  voicemail: 'The agent reached voicemail and left a message.',
  silence: 'The customer stopped answering.',
  max_duration: 'The conversation was cut off at its maximum duration.',
  provider_error: 'The conversation broke off with an error.',
  unexplained: 'The conversation was closed.',
};

function successOf(random: Random, plan: Plan): 'success' | 'failure' | 'unknown' {
  const drawn = random.weighted(['success', 'failure', 'unknown'] as const, (value) =>
    value === 'success' ? 78 : value === 'failure' ? 14 : 8,
  );
  if (plan.end.outcome === 'voicemail' || plan.end.outcome === 'silence') return 'unknown';
  return plan.end.outcome === 'provider_error' || plan.end.outcome === 'transfer_failed' ? 'failure' : drawn;
}

function criteria(random: Random, successful: string): Fields {
  const result = (id: string, value: string, rationale: string) => ({ criteria_id: id, result: value, rationale });
  return {
    resolved: result('resolved', successful, 'Judged by whether the request was fulfilled.'),
    polite: result('polite', random.chance(0.97) ? 'success' : 'failure', 'The agent stayed friendly throughout.'),
  };
}

function collected(random: Random, plan: Plan): Fields {
  const item = (id: string, value: unknown, type: string) => ({
    data_collection_id: id,
    value,
    json_schema: { type, description: id.replaceAll('_', ' ') },
    rationale: 'Stated in the conversation.',
  });
  return {
    reference: item('reference', plan.slots['reference'] ?? null, 'string'),
    callback_requested: item('callback_requested', random.chance(0.15), 'boolean'),
  };
}

/** One block for the conversation, and one for each agent when several took part. */
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

/** The analysis; null when nobody was connected. `run` counts how often it has been made: each run judges anew. */
export function analysisOf(plan: Plan, run = 1): Fields | null {
  if (!plan.end.connected) return null;
  const random = new Random(`${plan.seed} el analysis ${run}`);
  const successful = successOf(random, plan);
  const results = criteria(random, successful);
  const data = collected(random, plan);
  return {
    call_successful: successful,
    call_success_score: successful === 'unknown' ? null : successful === 'success' ? 1 : 0,
    transcript_summary: `${fill(plan.topic.summary, plan.slots)} ${OUTCOMES[plan.end.outcome] ?? ''}${run > 1 ? ` (analysis ${run})` : ''}`,
    call_summary_title: plan.topic.key.replaceAll('_', ' '),
    evaluation_criteria_results: results,
    evaluation_criteria_results_list: Object.values(results),
    data_collection_results: data,
    data_collection_results_list: Object.values(data),
    scoped: scoped(plan, successful),
  };
}
