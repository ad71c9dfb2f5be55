// The simulated ElevenLabs: exports for tests.
export { completeConversation } from './complete-conversation.js';
export { ENDS } from './outcomes.js';
export { signBody } from './webhooks.js';
export { startElevenLabsSimulator, type ElevenLabsSimulator } from './server.js';
export type { Conversation } from './conversation.js';
