import type { Notes } from '../notes.js';

/** What the simulator knows about a chat besides the chat itself. Times are epoch milliseconds. */
export interface ChatNotes extends Notes {
  /** The analysis is hidden before this time. */
  analysisFromMs?: number;
}
