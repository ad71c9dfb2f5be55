// Channel, direction, numbers and correlation ids of a conversation. Pure.
import type { Channel, Direction, Fields, Json } from '../provider-fact.js';
import { compact } from '../provider-mapping.js';
import type { ElevenLabsMetadata } from './payload.js';

/** Channel, direction and numbers. Conversations in a browser have neither direction nor numbers. */
export function contactOf({
  phone_call: call,
  sms,
  whatsapp,
  text_only: textOnly,
}: ElevenLabsMetadata): Partial<Fields> {
  if (sms) return contact('sms', sms.direction, sms.sms_user_phone_number, sms.agent_phone_number);
  if (whatsapp) {
    return contact('whatsapp', whatsapp.direction, whatsapp.recipient?.phone ?? whatsapp.whatsapp_user_id, null);
  }
  if (call) return contact('phone', call.direction, call.external_number, call.agent_number);
  // The document contains neither, so it claims nothing about the channel.
  if (call === undefined && typeof textOnly !== 'boolean') return {};
  return { channel: textOnly === true ? 'chat' : 'web_call' };
}

type Text = string | null | undefined;

const DIRECTIONS = ['inbound', 'outbound'] as const satisfies Direction[];

function contact(channel: Channel, direction: Text, customerNumber: Text, agentNumber: Text): Partial<Fields> {
  const known = DIRECTIONS.find((name) => name === direction);
  return compact({ channel, direction: known, customer_number: customerNumber, agent_number: agentNumber });
}

const CARRIERS = new Map<Text, string>([
  ['twilio', 'twilio.call_sid'],
  ['exotel', 'exotel.call_sid'],
  ['sip_trunking', 'sip.call_id'],
]);

/** Ids of the conversation in carriers, batches and ticket systems. */
export function correlationOf(
  { phone_call: call, batch_call: batch, async_metadata: ticket }: ElevenLabsMetadata,
  variables: { [key: string]: Json } | null | undefined,
): Fields['correlation'] | undefined {
  const namespace = CARRIERS.get(call?.type);
  const found: [namespace: string | undefined, value: Text][] = [
    [namespace, call?.call_sid],
    // Which of the two is the header's Call-ID is not documented: both are ids of this one call.
    ['sip.call_id', call?.call_id],
    ['provider.batch_id', batch?.batch_call_id],
    [ticket?.external_system ?? undefined, ticket?.external_id],
  ];
  const sid = variables?.['system__call_sid'];
  if (!call && typeof sid === 'string' && /^CA[0-9a-f]{32}$/i.test(sid)) found.push(['twilio.call_sid', sid]);
  const pairs = found.flatMap(([name, value]) => (name && value ? [{ namespace: name, value }] : []));
  const distinct = new Map(pairs.map((pair) => [`${pair.namespace} ${pair.value}`, pair]));
  return distinct.size === 0 ? undefined : [...distinct.values()];
}
