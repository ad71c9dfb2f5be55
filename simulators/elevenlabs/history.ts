// History of a simulated ElevenLabs workspace.
import { pastEnds, type HistoryOptions } from '../history.js';
import { completeConversation } from './complete-conversation.js';
import { listNotes, type Conversations } from './conversations.js';
import { scenarioOf } from './scenarios.js';

/** The workspace that gets the history. */
interface Workspace {
  conversations: Conversations;
  clock: () => number;
}

/**
 * Adds finished, analysed conversations; returns their ids, oldest first. Transcripts and recordings are stored as a seed
 * and generated on read, so thousands need little memory.
 */
export function addHistory(workspace: Workspace, options: HistoryOptions): string[] {
  return pastEnds(options, workspace.clock()).map(({ seed, endMs }) => {
    const scenario = scenarioOf(seed);
    const conversation = completeConversation(seed, {}, scenario, { nowMs: endMs });
    workspace.conversations.put(conversation, {
      ...listNotes(conversation, seed),
      createdMs: endMs,
      seed,
      scenario,
      isDerived: true,
    });
    return conversation.conversation_id;
  });
}
