// Decides, from a seed and the given fields, who talks to whom, on which channel, and how it ends. The words come later.
import { Random, seededHex } from '../random.js';
import type { Fields } from '../records.js';
import type { Slots } from '../talk/lines.js';
import { languageOf, reservedNumber, slotsOf, type Language } from '../talk/people.js';
import type { Topic } from '../talk/topic.js';
import { topicOf } from '../talk/topics.js';
import { AGENTS, BOOKINGS_ID, FIRST_AGENT, type Channel, type SimulatedAgent } from './agents.js';
import { endOf, type End, type Outcome } from './outcomes.js';

/** What the caller determines about a conversation; defaults as in {@link planConversation}. */
export interface Scenario {
  agentId?: string;
  outcome?: Outcome;
  channel?: Channel;
  direction?: 'inbound' | 'outbound';
  environment?: string;
  /** Whether the first agent transfers to a second one, if it has one to transfer to. */
  handover?: boolean;
  /** Default: the agent's own setting. */
  zeroRetention?: boolean;
}

/** What is decided about a conversation before anybody speaks. */
export interface Plan {
  seed: string;
  agent: SimulatedAgent;
  specialist: SimulatedAgent | undefined;
  topic: Topic;
  end: End;
  channel: Channel;
  environment: string;
  direction: 'inbound' | 'outbound';
  customerNumber: string;
  colleagueNumber: string;
  language: Language;
  zeroRetention: boolean;
  slots: Slots;
}

const PHONE: readonly Channel[] = ['twilio', 'sip'];
const TEXT: readonly Channel[] = ['chat', 'sms', 'whatsapp'];

/** Whether a channel is a telephone channel. */
export const isPhone = (channel: Channel): boolean => PHONE.includes(channel);
/** Whether a channel is text only. */
export const isText = (channel: Channel): boolean => TEXT.includes(channel);

function agentOf(fields: Fields, scenario: Scenario): SimulatedAgent {
  const id = typeof fields['agent_id'] === 'string' ? fields['agent_id'] : (scenario.agentId ?? FIRST_AGENT.agent_id);
  const name = typeof fields['agent_name'] === 'string' ? fields['agent_name'] : FIRST_AGENT.name;
  return AGENTS.find((agent) => agent.agent_id === id) ?? { ...FIRST_AGENT, agent_id: id, name };
}

function specialistOf(agent: SimulatedAgent, end: End, scenario: Scenario): SimulatedAgent | undefined {
  const canHand = end.connected && end.outcome !== 'voicemail';
  if (scenario.handover !== true || !canHand) return undefined;
  return AGENTS.find(({ agent_id: id }) => id === (agent.handsTo ?? BOOKINGS_ID) && id !== agent.agent_id);
}

/**
 * Plans a conversation. `fields` may set the agent. Default of the scenario: an inbound call to the first agent (on its
 * first channel), in production, ended by the customer. The seed determines people and words.
 */
export function planConversation(seed: string, fields: Fields, scenario: Scenario): Plan {
  const random = new Random(`${seed} el plan`);
  const agent = agentOf(fields, scenario);
  const topic = topicOf(agent.topic, random);
  const end = endOf(scenario.outcome ?? 'customer_hangup');
  const language = languageOf(agent.language);
  return {
    seed,
    agent,
    specialist: specialistOf(agent, end, scenario),
    topic,
    end,
    channel: scenario.channel ?? agent.channels[0] ?? 'twilio',
    environment: scenario.environment ?? agent.environments[0] ?? 'production',
    direction: scenario.direction ?? (end.outboundOnly === true ? 'outbound' : 'inbound'),
    customerNumber: reservedNumber(random),
    colleagueNumber: reservedNumber(random),
    language,
    zeroRetention: scenario.zeroRetention ?? agent.zeroRetention,
    slots: slotsOf(random, language, agent.name, topic),
  };
}

/** The default id of a conversation: as long and as random-looking as ElevenLabs' ids. */
export function conversationIdOf(seed: string): string {
  return `conv_${seededHex(`${seed} el id`, 28)}`;
}
