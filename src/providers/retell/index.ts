// Retell as a Provider: calls and chats.
import type { Claims, Json } from '../provider-fact.js';
import type { Provider } from '../provider.js';
import { claimsOfChat } from './chat-mapper.js';
import { fetchDocument, openRecording } from './client.js';
import { DOCUMENT_CLASSES } from './document-classes.js';
import { listConversations } from './list.js';
import { claimsOfCall } from './mapper.js';
import { webhook } from './payload.js';
import { isSigned, verifySignature } from './signature.js';

const CALL_EVENTS = new Set([
  'call_started',
  'call_ended',
  'call_analyzed',
  'transcript_updated',
  'transfer_started',
  'transfer_bridged',
  'transfer_cancelled',
  'transfer_ended',
]);
const CHAT_EVENTS = new Set(['chat_started', 'chat_ended', 'chat_analyzed', 'transcript_updated']);

export const retell: Provider = {
  name: 'retell',
  kinds: ['call', 'chat'],
  documentClasses: DOCUMENT_CLASSES,
  isSigned,
  verify: verifySignature,
  conversationOf(body) {
    const parsed = webhook.safeParse(body);
    if (!parsed.success) return null;
    const { event, call, chat } = parsed.data;
    if (call !== undefined && CALL_EVENTS.has(event)) {
      return { providerKind: 'call', providerId: call.call_id, event, providerAgentId: call.agent_id ?? null };
    }
    if (chat !== undefined && CHAT_EVENTS.has(event)) {
      return { providerKind: 'chat', providerId: chat.chat_id, event, providerAgentId: chat.agent_id ?? null };
    }
    return null;
  },
  interpretWebhook(body): Claims {
    const { event, call } = webhook.parse(body);
    const documents = body as { call: Json; chat: Json };
    return call === undefined ? claimsOfChat(documents.chat, event) : claimsOfCall(documents.call, event);
  },
  interpretRecord: (document) => (isChat(document) ? claimsOfChat(document, null) : claimsOfCall(document, null)),
  fetchRecord: fetchDocument,
  list: listConversations,
  openRecording,
};

const isChat = (document: Json): boolean =>
  typeof document === 'object' && document !== null && 'chat_id' in document && !('call_id' in document);
