// One line per provider, nothing else.
export { retell } from './retell/index.js';
