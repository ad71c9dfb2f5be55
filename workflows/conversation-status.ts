// Where a conversation stands, as its workflow sees it and the Temporal UI shows it: enumerations and times only.

interface PartStatus {
  state: string;
  reason: string | null;
  /** RFC 3339; null while nothing is waited for. */
  dueAt: string | null;
}

export interface WorkflowStatus {
  phase: 'live' | 'settling' | 'settled' | 'gone';
  revision: number;
  /** Milliseconds until the watchdog should ask, and between two questions. */
  askInMs: number;
  askEveryMs: number;
  waitingFor: string | null;
  /** How often in a row the provider has not known it, each time one `ask_every` apart. */
  refusals: number;
  completeness: Record<'transcript' | 'audio' | 'analysis', PartStatus>;
  /** The recording is declared absent, and none is offered. Only when true, so that the status of former versions says the same. */
  hasNoRecording?: true;
}

/** Markdown that an operator reads in the Temporal UI while the workflow runs. */
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
