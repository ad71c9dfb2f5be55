// What an operator reads in the Temporal UI while the workflow runs: states, reasons, times.
import type { ConversationView } from '../activities/conversation.activities.js';

/** Markdown. */
export function describe(view: ConversationView): string {
  const parts = Object.entries(view.completeness).map(
    ([part, { state, reason, dueAt }]) => `| ${part} | ${state} | ${reason ?? ''} | ${dueAt ?? ''} |`,
  );
  return [
    `**${view.phase}**${view.waitingFor === null ? '' : `: ${view.waitingFor}`}`,
    '',
    '| part | state | reason | waited for until |',
    '|---|---|---|---|',
    ...parts,
  ].join('\n');
}
