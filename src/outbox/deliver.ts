// Sends the commands of one workflow to Temporal, in order.
import { workflowCommandSent } from '../observability/metrics.js';
import { traced } from '../observability/tracing.js';
import { refusalOf } from './call-failed.js';
import type { Outcome } from './command-queue.js';
import type { Contact } from './contact.js';
import type { Command } from './read-commands.js';
import { startOrSignal } from './start-or-signal.js';
import type { Workflows } from './workflow-kind.js';

interface Delivery {
  outcomes: Outcome[];
  /** Temporal is unavailable. */
  isAway: boolean;
}

/** Stops when one fails or `mayGoOn` returns false, and releases the rest for a later claim. Never rejects. */
export async function deliver(
  { workflows, contact }: { workflows: Workflows; contact: Contact },
  commands: readonly Command[],
  mayGoOn: () => boolean,
): Promise<Delivery> {
  const outcomes: Outcome[] = [];
  let isAway = false;
  for (const command of commands) {
    if (!mayGoOn()) break;
    try {
      await handOn(workflows, command);
      contact.accepted();
      outcomes.push({ id: command.id, is: 'done' });
    } catch (error) {
      const refusal = refusalOf(error, { attempts: command.attempts, isServing: contact.isServing });
      workflowCommandSent(command, refusal === null ? 'failed' : refusal.parks ? 'parked' : 'refused');
      if (refusal === null) isAway = true;
      else outcomes.push({ id: command.id, is: 'refused', ...refusal });
      break;
    }
  }
  const left = commands.slice(outcomes.length).map(({ id }): Outcome => ({ id, is: 'released' }));
  return { outcomes: [...outcomes, ...left], isAway };
}

async function handOn(workflows: Workflows, command: Command): Promise<void> {
  const { kind, start, signal, traceparent } = command;
  const attributes = { 'colloquy.workflow_id': start.workflowId, 'colloquy.kind': kind };
  const options = { kind: 'client', parent: traceparent, attributes } as const;
  workflowCommandSent(
    command,
    await traced('send workflow command', options, () => startOrSignal(workflows, start, signal)),
  );
}
