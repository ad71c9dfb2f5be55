// The simulated Retell: exports for tests.
export { completeChat } from './complete-chat.js';
export { completeCall } from './complete-call.js';
export { END_REASONS } from './reasons.js';
export { speechOf, transcriptFields } from './speech.js';
export { webhookBody } from './webhook-body.js';
export { signBody } from './webhooks.js';
export { startRetellSimulator, type RetellSimulator } from './server.js';
export type { RetellChat } from './chat.js';
export type { RetellCall } from './call.js';
