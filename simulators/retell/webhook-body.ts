// Bodies of Retell's webhooks: `{event, call}`; later events carry more of the call.
import { END_FIELDS, TRANSCRIPT_FIELDS, type RetellCall } from './call.js';
import { omit } from '../records.js';

const LIVE = new Set([
  'call_started',
  'transcript_updated',
  'transfer_started',
  'transfer_bridged',
  'transfer_cancelled',
]);

/**
 * The body of a webhook, before it is signed. `call_started` has no end data, `transcript_updated` only the transcript so
 * far, `transfer_…` the destination, `call_ended` everything except the analysis; `call_analyzed` and any other event
 * carry the whole call.
 */
export function webhookDocument(event: string, call: RetellCall): { event: string; call: RetellCall } {
  if (event === 'call_ended') return { event, call: omit(call, ['call_analysis']) };
  if (!LIVE.has(event)) return { event, call: omit(call, []) };
  const kept: readonly string[] =
    event === 'transcript_updated' ? TRANSCRIPT_FIELDS : event === 'call_started' ? [] : ['transfer_destination'];
  const dropped = END_FIELDS.filter((field) => !kept.includes(field));
  return { event, call: { ...omit(call, dropped), call_status: 'ongoing' } };
}

/** The webhook body as the text that is sent and signed. */
export function webhookBody(event: string, call: RetellCall): string {
  return JSON.stringify(webhookDocument(event, call));
}
