// The ways an ElevenLabs conversation can end. ElevenLabs publishes no list of reasons: `termination_reason` is free
// text, and results of system tools and `call_result` carry the rest.

/** The kind of end; the names are ours, not ElevenLabs'. */
export type Outcome =
  | 'customer_hangup'
  | 'agent_hangup'
  | 'transferred'
  | 'transfer_failed'
  | 'voicemail'
  | 'silence'
  | 'max_duration'
  | 'provider_error'
  | 'no_answer'
  | 'busy'
  | 'unreachable'
  | 'unexplained';

/** How an end appears in the record. `connected`: somebody spoke. `weight`: share of traffic in percent. */
export interface End {
  outcome: Outcome;
  status: 'done' | 'failed';
  connected: boolean;
  callResult: string;
  reasons: readonly string[];
  error: { code: number; reason: string } | null;
  weight: number;
  /** Happens on phone channels only. */
  phoneOnly?: boolean;
  /** Happens on outbound calls only. */
  outboundOnly?: boolean;
}

const done = (outcome: Outcome, weight: number, reasons: readonly string[], more: Partial<End> = {}): End => ({
  outcome,
  status: 'done',
  connected: true,
  callResult: 'answered',
  reasons,
  error: null,
  weight,
  ...more,
});
const unconnected = (outcome: Outcome, weight: number, callResult: string, reason: string): End =>
  done(outcome, weight, [reason], {
    status: 'failed',
    connected: false,
    callResult,
    phoneOnly: true,
    outboundOnly: true,
  });

/** All ends. In a list of reasons, the first is for the telephone and the second for the browser. */
export const ENDS: readonly End[] = [
  done('customer_hangup', 40, ['Call ended by remote party', 'Client disconnected: 1000']),
  done('agent_hangup', 24, ['end_call tool was called.', 'Agent used the end_call tool']),
  done('transferred', 8, ['Call ended by remote party'], { phoneOnly: true }),
  done('transfer_failed', 1.5, ['Call ended by remote party'], { phoneOnly: true }),
  done('voicemail', 6, ['Voicemail detected'], { phoneOnly: true, outboundOnly: true, callResult: 'voicemail' }),
  done('silence', 3, ['Conversation ended after silence', 'Ended due to user inactivity']),
  done('max_duration', 0.8, ['Conversation exceeded max duration']),
  done('unexplained', 0.7, ['Conversation closed (4002)']),
  done('provider_error', 2, ['Error'], {
    status: 'failed',
    error: { code: 1011, reason: 'LLM cascade: all models timed out' },
  }),
  unconnected('no_answer', 6, 'no_answer', 'Call was not answered'),
  unconnected('busy', 4, 'busy', 'Callee was busy'),
  unconnected('unreachable', 2, 'failed', 'Call could not be completed'),
];

/** The end with this name. */
export function endOf(outcome: Outcome): End {
  const end = ENDS.find((candidate) => candidate.outcome === outcome);
  if (!end) throw new RangeError('no such outcome');
  return end;
}
