// Retell: calls. Its webhooks, records, recordings and signatures (reference/providers.md).
import type { Provider } from '../provider.js';
import { fetchCall, openRecording } from './client.js';
import { listCalls } from './list.js';
import { claimsOfCall } from './mapper.js';
import { webhook } from './payload.js';
import { verifySignature } from './signature.js';

const EVENTS = new Set([
  'call_started',
  'call_ended',
  'call_analyzed',
  'transcript_updated',
  'transfer_started',
  'transfer_bridged',
  'transfer_cancelled',
  'transfer_ended',
]);

export const retell: Provider = {
  name: 'retell',
  mappingVersion: 1,
  kinds: ['call'],
  verify: verifySignature,
  subject(body) {
    const parsed = webhook.safeParse(body);
    if (!parsed.success || !EVENTS.has(parsed.data.event)) return null;
    const { event, call } = parsed.data;
    return { providerKind: 'call', providerId: call.call_id, event, providerAgentId: call.agent_id ?? null };
  },
  interpretWebhook(body) {
    const { event } = webhook.parse(body);
    return claimsOfCall((body as { call: Parameters<typeof claimsOfCall>[0] }).call, event);
  },
  interpretRecord: (document) => claimsOfCall(document, null),
  fetchRecord: (credentials, { providerId }) => fetchCall(credentials, providerId),
  list: listCalls,
  openRecording,
};
