// ElevenLabs Agents as a Provider: conversations of every channel.
import type { Claims, Json } from '../provider-fact.js';
import type { Provider } from '../provider.js';
import { fetchConversation, openRecording } from './client.js';
import { DOCUMENT_CLASSES } from './document-classes.js';
import { claimsOfAudio, claimsOfFailure } from './events.js';
import { listConversations } from './list.js';
import { claimsOfConversation } from './mapper.js';
import { webhook } from './payload.js';
import { isSigned, verifySignature } from './signature.js';

type Interpreter = (data: Json, conversationId: string, eventTimeMs: number | null) => Claims;

const EVENTS = new Map<string, Interpreter>([
  ['post_call_transcription', (data) => claimsOfConversation(data, 'webhook')],
  ['post_call_audio', claimsOfAudio],
  ['call_initiation_failure', (data, _, eventTimeMs) => claimsOfFailure(data, eventTimeMs)],
]);

export const elevenlabs: Provider = {
  name: 'elevenlabs',
  kinds: ['conversation'],
  audioEvents: ['post_call_audio'],
  documentClasses: DOCUMENT_CLASSES,
  isSigned,
  verify: verifySignature,
  conversationOf(body) {
    const parsed = webhook.safeParse(body);
    if (!parsed.success || !EVENTS.has(parsed.data.type)) return null;
    const { type: event, data } = parsed.data;
    const { conversation_id: providerId, agent_id: agentId } = data;
    return { providerKind: 'conversation', providerId, event, providerAgentId: agentId ?? null };
  },
  interpretWebhook(body) {
    const { type, event_timestamp: seconds, data } = webhook.parse(body);
    const interpret = EVENTS.get(type);
    if (interpret === undefined) throw new RangeError('unknown event type');
    const eventTimeMs = typeof seconds === 'number' ? Math.round(seconds * 1000) : null;
    return interpret((body as { data: Json }).data, data.conversation_id, eventTimeMs);
  },
  interpretRecord: (document) => claimsOfConversation(document, 'record'),
  fetchRecord: fetchConversation,
  list: listConversations,
  openRecording,
};
