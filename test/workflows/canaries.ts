// Names, numbers and words of a conversation that Temporal must never see.
import type { CallFields } from '../../simulators/retell/call.js';
import { speechOf, transcriptFields } from '../../simulators/retell/index.js';

export const CANARIES = {
  callId: 'call_canary_7d1f',
  customer: '+14155550177',
  agent: '+14155550178',
  name: 'Quillon Brambleworth',
  words: 'my zanthic parcel is broken',
  summary: 'The caller complained of a zanthic parcel',
  metadata: 'order-xylograph-9',
  agentName: 'Vesperine',
} as const;

/** A call that contains all canaries. */
export const CANARY_CALL: CallFields = {
  call_id: CANARIES.callId,
  direction: 'inbound',
  from_number: CANARIES.customer,
  to_number: CANARIES.agent,
  agent_name: CANARIES.agentName,
  metadata: { order: CANARIES.metadata },
  retell_llm_dynamic_variables: { customer_name: CANARIES.name },
  ...transcriptFields(speechOf('canary', [`U: ${CANARIES.words}`, `A: Sorry to hear that, ${CANARIES.name}.`]).items),
  call_analysis: { call_summary: CANARIES.summary, call_successful: true, user_sentiment: 'Negative' },
};

interface Payload {
  data?: string;
}

/** Every text of a history as JSON: the document itself and all payloads in it, decoded. */
export function textOf(history: string): string {
  const decoded: string[] = [];
  JSON.parse(history, (key, value: unknown) => {
    if (key === 'data' && typeof value === 'string') decoded.push(Buffer.from(value, 'base64').toString('utf8'));
    const { data } = (value ?? {}) as Payload;
    if (typeof data === 'string') decoded.push(data);
    return value;
  });
  return [history, ...decoded].join('\n');
}

/** Canaries that a text contains, plain or in base64. */
export function canariesIn(text: string): string[] {
  const single = Object.values(CANARIES).flatMap((canary) => [
    canary,
    ...canary.split(' ').filter((word) => word.length > 6),
  ]);
  return single.filter(
    (canary) => text.includes(canary) || text.includes(Buffer.from(canary).toString('base64').replace(/=+$/, '')),
  );
}
