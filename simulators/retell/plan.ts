// Decides, from a seed and the given fields, who calls whom and how it ends. The words come later.
import { Random, seededHex } from '../random.js';
import { AGENTS, type SimulatedAgent } from './agents.js';
import type { Fields } from '../records.js';
import type { Slots } from '../talk/lines.js';
import { languageOf, reservedNumber, slotsOf, type Language } from '../talk/people.js';
import type { Topic } from '../talk/topic.js';
import { topicOf } from '../talk/topics.js';
import { endReason, type EndReason } from './reasons.js';

/** What is decided about a call before anybody speaks. */
export interface CallPlan {
  seed: string;
  agent: SimulatedAgent;
  topic: Topic;
  reason: EndReason;
  callType: 'phone_call' | 'web_call';
  direction: 'inbound' | 'outbound';
  customerNumber: string;
  colleagueNumber: string;
  language: Language;
  slots: Slots;
}

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

function agentOf(random: Random, fields: Fields): SimulatedAgent {
  const drawn = random.weighted(AGENTS, (agent) => agent.weight);
  return AGENTS.find((agent) => agent.agent_id === fields['agent_id']) ?? drawn;
}

function directionOf(random: Random, fields: Fields, reason: EndReason, topic: Topic): CallPlan['direction'] {
  const drawn = random.chance(topic.outbound);
  const given = text(fields['direction']);
  if (given !== undefined) return given === 'outbound' ? 'outbound' : 'inbound';
  const dialled = reason.status === 'not_connected' || /voicemail|ivr/.test(reason.reason);
  return drawn || dialled ? 'outbound' : 'inbound';
}

/**
 * Plans a call. `fields` may set agent, type (default phone), direction and reason (default `user_hangup`); the seed
 * determines the rest.
 */
export function planCall(seed: string, fields: Fields): CallPlan {
  const random = new Random(`${seed} plan`);
  const reason = endReason(text(fields['disconnection_reason']) ?? 'user_hangup');
  const agent = agentOf(random, fields);
  const topic = topicOf(agent.topic, random);
  const language = languageOf(agent.language);
  return {
    seed,
    agent,
    topic,
    reason,
    callType: fields['call_type'] === 'web_call' ? 'web_call' : 'phone_call',
    direction: directionOf(random, fields, reason, topic),
    customerNumber: reservedNumber(random),
    colleagueNumber: reservedNumber(random),
    language,
    slots: slotsOf(random, language, agent.agent_name, topic),
  };
}

/** The default id of a call: as long and as random-looking as Retell's ids. */
export function callIdOf(seed: string): string {
  return `call_${seededHex(`${seed} id`, 27)}`;
}
