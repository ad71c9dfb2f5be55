// Every workflow; the entry of the bundle.
export { conversation } from './conversation.js';
export { poll } from './poll.js';
export { reconciliation } from './reconciliation.js';
