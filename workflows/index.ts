// Every workflow; the entry of the bundle.
export { conversation } from './conversation.workflow.js';
export { reconciliation } from './reconciliation.workflow.js';
