// Decides, from a seed and from what is already fixed, who calls whom and how it ends. Words come later.
import { Random, seededHex } from '../random.js';
import { AGENTS, type SimulatedAgent } from './agents.js';
import type { CallFields } from './call.js';
import type { Slots } from './lines.js';
import { endReason, type EndReason } from './reasons.js';
import type { Topic } from './topic.js';
import { ENGLISH_TOPICS } from './topics-english.js';
import { OTHER_TOPICS } from './topics-other.js';

const TOPICS = [...ENGLISH_TOPICS, ...OTHER_TOPICS];

const FIRST = [
  'Maya',
  'Elias',
  'Noor',
  'Tomás',
  'Greta',
  'Kofi',
  'Yuki',
  'Anneke',
  'Ravi',
  'Salome',
  'Piotr',
  'Leila',
  'Hugo',
  'Wren',
  'Marisol',
];
const LAST = [
  'Lindqvist',
  'Okonkwo',
  'Farrow',
  'Castellan',
  'Brandt',
  'Achterberg',
  'Delacroix',
  'Tanaka',
  'Whitlow',
  'Moreau',
  'Varga',
  'Sandoval',
];
const CITIES = ['Springfield', 'Fairview', 'Riverton', 'Ashford', 'Lakewood'];
const AREA_CODES = ['202', '206', '212', '305', '312', '415', '504', '617', '646', '718'];
const DATES = {
  en: ['the third', 'the twelfth', 'the twenty first'],
  es: ['sábado', 'viernes', 'martes'],
  de: ['Montag', 'Mittwoch', 'Freitag'],
  fr: ['3 mai', '12 juin', '21 juin'],
};

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
  language: 'en' | 'es' | 'de' | 'fr';
  slots: Slots;
}

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** A number that is reserved for fiction: +1, an area code, 555-01xx. */
function reservedNumber(random: Random): string {
  return `+1${random.pick(AREA_CODES)}55501${String(random.integer(7, 99)).padStart(2, '0')}`;
}

function languageOf(agent: SimulatedAgent): CallPlan['language'] {
  const language = agent.language.slice(0, 2);
  return language === 'es' || language === 'de' || language === 'fr' ? language : 'en';
}

function slotsOf(random: Random, agent: SimulatedAgent, topic: Topic): Slots {
  const first = random.pick(FIRST);
  return {
    first,
    name: `${first} ${random.pick(LAST)}`,
    colleague: random.pick(FIRST),
    city: random.pick(CITIES),
    date: random.pick(DATES[languageOf(agent)]),
    amount: `${random.integer(12, 290)}.${random.pick(['00', '50', '90'])}`,
    reference: String(random.integer(10_000, 99_999)),
    plan: random.pick(['gold', 'silver', 'basic']),
    agent: agent.agent_name,
    subject: topic.subject,
  };
}

function agentOf(random: Random, fields: CallFields): SimulatedAgent {
  const drawn = random.weighted(AGENTS, (agent) => agent.weight);
  return AGENTS.find((agent) => agent.agent_id === fields['agent_id']) ?? drawn;
}

function directionOf(random: Random, fields: CallFields, reason: EndReason, topic: Topic): CallPlan['direction'] {
  const drawn = random.chance(topic.outbound);
  const given = text(fields['direction']);
  if (given !== undefined) return given === 'outbound' ? 'outbound' : 'inbound';
  const dialled = reason.status === 'not_connected' || /voicemail|ivr/.test(reason.reason);
  return drawn || dialled ? 'outbound' : 'inbound';
}

/** Plans a call. `fields` may fix agent, type (else phone), direction and reason (else `user_hangup`); the seed decides the rest. */
export function planCall(seed: string, fields: CallFields): CallPlan {
  const random = new Random(`${seed} plan`);
  const reason = endReason(text(fields['disconnection_reason']) ?? 'user_hangup');
  const agent = agentOf(random, fields);
  const topic = TOPICS.find((candidate) => candidate.agentId === agent.agent_id) ?? random.pick(TOPICS);
  return {
    seed,
    agent,
    topic,
    reason,
    callType: fields['call_type'] === 'web_call' ? 'web_call' : 'phone_call',
    direction: directionOf(random, fields, reason, topic),
    customerNumber: reservedNumber(random),
    colleagueNumber: reservedNumber(random),
    language: languageOf(agent),
    slots: slotsOf(random, agent, topic),
  };
}

/** The call's id where none is given: as long and as random-looking as Retell's. */
export function callIdOf(seed: string): string {
  return `call_${seededHex(`${seed} id`, 27)}`;
}
