// Turns a plan into the lines of a call: opening, some of the topic's exchanges, an end that matches the reason.
import { Random } from '../random.js';
import { exchangeCount, exchangesOf } from '../talk/exchanges.js';
import { fill, type Line } from '../talk/lines.js';
import { PHRASES, type Phrases } from '../talk/phrases.js';
import type { CallPlan } from './plan.js';

/** The lines between opening and end; only a call that reaches its maximum duration repeats lines. */
function middle(random: Random, plan: CallPlan, phrases: Phrases): Line[] {
  const endless = plan.reason.reason === 'max_duration_reached';
  const count = endless ? 40 : plan.reason.status === 'error' ? random.integer(0, 3) : exchangeCount(random);
  return exchangesOf(random, plan.topic, phrases, { count, endless });
}

/** The first lines: those of the topic, or the agent saying why it calls. */
function openingOf(plan: CallPlan, phrases: Phrases): Line[] {
  return plan.direction === 'outbound' && plan.topic.outbound < 1 ? phrases.outbound : plan.topic.opening;
}

function transferLines(plan: CallPlan, phrases: Phrases, isWarm: boolean): Line[] {
  const cancelled = plan.reason.reason === 'transfer_cancelled';
  const call: Line = {
    tool: 'transfer_call',
    arguments: { department: plan.topic.department, number: plan.colleagueNumber, type: isWarm ? 'warm' : 'cold' },
    result: cancelled ? { error: 'no answer' } : 'transferred',
    ok: !cancelled,
  };
  if (cancelled) return [phrases.transfer, call, ...phrases.colleagueBusy];
  return isWarm ? [phrases.transfer, call, { pauseSeconds: 4 }, ...phrases.colleague] : [phrases.transfer, call];
}

/** The last lines, by reason; a reason that is not listed cuts the call off. */
function ending(random: Random, plan: CallPlan, phrases: Phrases): Line[] {
  switch (plan.reason.reason) {
    case 'agent_hangup':
      return [
        ...phrases.thanks,
        phrases.goodbye,
        { tool: 'end_call', arguments: { reason: 'finished' }, result: 'ended' },
      ];
    case 'user_hangup':
      return random.chance(0.7) ? [...phrases.thanks, phrases.goodbye] : [];
    case 'call_transfer':
      return transferLines(plan, phrases, random.chance(0.4));
    case 'transfer_bridged':
    case 'transfer_cancelled':
      return transferLines(plan, phrases, true);
    case 'inactivity':
      return phrases.silence;
    case 'max_duration_reached':
      return [phrases.tooLong];
    default:
      return [];
  }
}

function linesOf(random: Random, plan: CallPlan, phrases: Phrases): Line[] {
  if (plan.reason.reason === 'voicemail_reached') return [phrases.voicemailGreeting, phrases.voicemailMessage];
  if (plan.reason.reason === 'ivr_reached') return [phrases.menu, { dtmf: '2' }, { pauseSeconds: 3 }, phrases.menu];
  const opening = openingOf(plan, phrases);
  if (plan.reason.reason === 'error_no_audio_received') return [...opening.slice(0, 1), { pauseSeconds: 12 }];
  const isWrongNumber = plan.reason.reason === 'agent_hangup' && random.chance(0.1);
  if (isWrongNumber) return [...opening.slice(0, 1), ...phrases.wrongNumber];
  return [...opening, ...middle(random, plan, phrases), ...ending(random, plan, phrases)];
}

/** The lines of a call, slots filled; empty when the call never connected. */
export function dialogueOf(plan: CallPlan): Line[] {
  if (!plan.reason.connected) return [];
  const lines = linesOf(new Random(`${plan.seed} dialogue`), plan, PHRASES[plan.language]);
  return fill(lines, plan.slots);
}
