// A transcript as plain text: one line per turn. Pure.
import type { Turn, TurnRole } from '../providers/provider-fact.js';

const SPEAKER: Record<TurnRole, string> = {
  customer: 'Customer',
  agent: 'Agent',
  human_agent: 'Human agent',
  tool_call: 'Tool call',
  tool_result: 'Tool result',
  event: 'Event',
  system: 'System',
};

/** `[00:04] Customer: …`, each line ends with \n. Line breaks inside a turn become spaces, so that each line is one turn. */
export const transcriptText = (turns: Turn[]): string => turns.map((turn) => `${lineOf(turn)}\n`).join('');

function lineOf(turn: Turn): string {
  const time = turn.start_ms === null ? '' : `[${clock(turn.start_ms)}] `;
  return `${time}${SPEAKER[turn.role]}: ${wordsOf(turn)}`.replaceAll(/\s*\n\s*/g, ' ').trimEnd();
}

function wordsOf({ text, tool, role }: Turn): string {
  if (tool === null) return text ?? '';
  const value = role === 'tool_call' ? tool.arguments : tool.result;
  const shown = typeof value === 'string' ? value : JSON.stringify(value);
  return [tool.name, value === null ? null : shown, tool.ok === false ? '(failed)' : null]
    .filter((word) => word !== null)
    .join(' ');
}

/** mm:ss, with hours only if there are any. */
function clock(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const two = (value: number): string => String(value).padStart(2, '0');
  const hours = Math.floor(seconds / 3600);
  return `${hours > 0 ? `${hours}:` : ''}${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}
