// Turns a plan into the lines of a conversation: opening, part of the topic, perhaps a transfer, a matching end.
import { Random } from '../random.js';
import type { Fields } from '../records.js';
import { exchangeCount, exchangesOf } from '../talk/exchanges.js';
import { fill, type Line } from '../talk/lines.js';
import { PHRASES, type Phrases } from '../talk/phrases.js';
import type { Outcome } from './outcomes.js';
import { isText, type Plan } from './plan.js';

/** A call of an ElevenLabs system tool; `result_type` is the discriminator of `result`. */
export interface SystemLine {
  system: string;
  arguments: Fields;
  result: Fields;
  ok: boolean;
  /** The agent that speaks from here on. */
  speaksNext?: string;
}

/** One line of an ElevenLabs script. */
export type ScriptLine = Line | SystemLine;

const RESULT_OF_TRANSFER = {
  twilio: 'transfer_to_number_twilio_success',
  sip: 'transfer_to_number_sip_success',
} as const;

function transferLines(plan: Plan): ScriptLine[] {
  if (!plan.specialist) return [];
  const { agent_id: from } = plan.agent;
  const { agent_id: to } = plan.specialist;
  const result = { result_type: 'transfer_to_agent_success', status: 'success', from_agent: from, to_agent: to };
  return [
    'A: Our bookings desk can do that for you, one moment.',
    {
      system: 'transfer_to_agent',
      arguments: { agent_number: 0, reason: 'change of a booking' },
      result: { ...result, condition: 'caller wants to change a booking', delay_ms: 0, transfer_message: null },
      ok: true,
      speaksNext: to,
    },
    'A: Hello {first}, this is the bookings desk. I can see what you told my colleague.',
  ];
}

function transfer(plan: Plan): SystemLine {
  const isFailed = plan.end.outcome === 'transfer_failed';
  const kind = plan.channel === 'sip' ? 'sip' : 'twilio';
  const bridge = {
    agent_message: '{first} needs a colleague.',
    conference_name: `transfer_${plan.slots['reference']}`,
  };
  const success = {
    result_type: RESULT_OF_TRANSFER[kind],
    status: 'success',
    transfer_number: plan.colleagueNumber,
    reason: plan.topic.department,
    ...(kind === 'twilio' ? { client_message: null, ...bridge } : {}),
  };
  const failure = { result_type: 'transfer_to_number_error', status: 'error', error: 'no answer', details: null };
  return {
    system: 'transfer_to_number',
    arguments: { transfer_number: plan.colleagueNumber, reason: plan.topic.department },
    result: isFailed ? failure : success,
    ok: !isFailed,
  };
}

const endCall: SystemLine = {
  system: 'end_call',
  arguments: { reason: 'The request was completed.' },
  result: { result_type: 'end_call_success', status: 'success', reason: 'The request was completed.', message: null },
  ok: true,
};

/** The last lines, by outcome; an outcome that is not listed cuts the conversation off. */
function ending(random: Random, plan: Plan, phrases: Phrases): ScriptLine[] {
  const endings: Partial<Record<Outcome, () => ScriptLine[]>> = {
    agent_hangup: () => [...phrases.thanks, phrases.goodbye, endCall],
    customer_hangup: () => (random.chance(0.7) ? [...phrases.thanks, phrases.goodbye] : []),
    transferred: () => [phrases.transfer, transfer(plan)],
    transfer_failed: () => [phrases.transfer, transfer(plan), ...phrases.colleagueBusy],
    silence: () => (isText(plan.channel) ? [] : phrases.silence),
    max_duration: () => [phrases.tooLong],
  };
  return endings[plan.end.outcome]?.() ?? [];
}

function voicemail(phrases: Phrases): ScriptLine[] {
  const result = { result_type: 'voicemail_detection_success', status: 'success', voicemail_message: null };
  const detection = { system: 'voicemail_detection', arguments: { reason: 'greeting' }, ok: true };
  return [phrases.voicemailGreeting, { ...detection, result }, phrases.voicemailMessage];
}

/** The lines of a conversation, slots filled; empty when the call never connected. */
export function scriptOf(plan: Plan): ScriptLine[] {
  if (!plan.end.connected) return [];
  const random = new Random(`${plan.seed} el dialogue`);
  const phrases = PHRASES[plan.language];
  if (plan.end.outcome === 'voicemail') return fill(voicemail(phrases), plan.slots);
  const isBroken = plan.end.outcome === 'provider_error';
  const endless = plan.end.outcome === 'max_duration';
  const count = endless ? 40 : isBroken ? random.integer(0, 3) : exchangeCount(random);
  const opening = plan.direction === 'outbound' && plan.topic.outbound < 0.5 ? phrases.outbound : plan.topic.opening;
  const middle = exchangesOf(random, plan.topic, phrases, { count, endless });
  const lines = [...opening, ...transferLines(plan), ...middle, ...ending(random, plan, phrases)];
  return fill(isText(plan.channel) ? lines.filter(isTyped) : lines, plan.slots);
}

/** Whether a line also occurs in text conversations. */
function isTyped(line: ScriptLine): boolean {
  return typeof line === 'string' || 'tool' in line || 'system' in line;
}
