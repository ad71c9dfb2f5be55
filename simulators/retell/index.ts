// The simulated Retell: what tests and the traffic generator use of it.
export { completeCall, ongoingCall } from './complete-call.js';
export { END_REASONS } from './reasons.js';
export { speechOf, transcriptFields } from './speech.js';
export { webhookBody, webhookDocument } from './webhook-body.js';
export { SIGNATURE_HEADER, signBody } from './webhooks.js';
export { startRetellSimulator, RetellSimulator } from './server.js';
export type { CallFields, RetellCall, TranscriptItem } from './call.js';
export type { DeliverOptions, SimulatorOptions } from './server.js';
