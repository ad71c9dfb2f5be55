// Every workflow; the entry of the bundle.
export { conversation } from './conversation.js';
export { reconciliation } from './reconciliation.js';
