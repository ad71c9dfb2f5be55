// The status of a conversation, as its workflow decides by it and the Temporal UI shows it: enumerations and times only.

interface PartStatus {
  state: string;
  reason: string | null;
  /** RFC 3339; null if the part is not pending. */
  dueAt: string | null;
}

export interface WorkflowStatus {
  phase: 'live' | 'settling' | 'settled' | 'gone';
  revision: number;
  /** Milliseconds until the watchdog should ask the provider, and between two requests. */
  askInMs: number;
  askEveryMs: number;
  waitingFor: string | null;
  /** How often in a row the provider has not known the conversation, each time one `ask_every` apart. */
  refusals: number;
  completeness: Record<'transcript' | 'audio' | 'analysis', PartStatus>;
  /** The recording is declared absent and none is offered. Set only if true, so that statuses of earlier versions mean the same. */
  hasNoRecording?: true;
}

/** Markdown for the Temporal UI, shown while the workflow runs. */
export function describe(status: WorkflowStatus): string {
  const parts = Object.entries(status.completeness).map(
    ([part, { state, reason, dueAt }]) => `| ${part} | ${state} | ${reason ?? ''} | ${dueAt ?? ''} |`,
  );
  return [
    `**${status.phase}**${status.waitingFor === null ? '' : `: ${status.waitingFor}`}`,
    '',
    '| part | state | reason | waited for until |',
    '|---|---|---|---|',
    ...parts,
  ].join('\n');
}
