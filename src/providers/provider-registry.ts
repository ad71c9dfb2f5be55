// One line per provider, nothing else.
export { elevenlabs } from './elevenlabs/index.js';
export { retell } from './retell/index.js';
