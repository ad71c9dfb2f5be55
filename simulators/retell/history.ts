// History of a simulated Retell workspace.
import { pastEnds, type HistoryOptions } from '../history.js';
import { Random } from '../random.js';
import type { Calls } from './calls.js';
import type { Chats } from './chats.js';
import { completeCall } from './complete-call.js';
import { completeChat } from './complete-chat.js';
import { endReason } from './reasons.js';
import { scenarioOf } from './scenarios.js';

/** `chats`: the share of chats among the conversations, default 0. */
export interface RetellHistoryOptions extends HistoryOptions {
  chats?: number;
}

/** The workspace that gets the history. */
interface Workspace {
  calls: Calls;
  chats: Chats;
  baseUrl: string;
  clock: () => number;
}

/**
 * Adds finished, analysed conversations; returns their ids, oldest first. Transcripts of calls and all recordings are
 * stored as a seed and generated on read, so thousands need little memory.
 */
export function addHistory(workspace: Workspace, options: RetellHistoryOptions): string[] {
  const { calls, chats, baseUrl } = workspace;
  return pastEnds(options, workspace.clock()).map(({ seed, endMs }) => {
    const notes = { createdMs: endMs, seed };
    if (new Random(`${seed} kind`).chance(options.chats ?? 0)) {
      const chat = completeChat(seed, { end_timestamp: endMs });
      chats.records.put(chat, notes);
      return chat.chat_id;
    }
    const fields = scenarioOf(seed);
    const isConnected = endReason(String(fields['disconnection_reason'])).connected;
    const call = completeCall(seed, isConnected ? { ...fields, end_timestamp: endMs } : fields, { baseUrl });
    calls.put(call, { ...notes, isDerived: true });
    return call.call_id;
  });
}
