// Workflows as the outbox sees them: plain values, which src/temporal/ turns into starts and signals.
import type { Transaction } from '../database/with-scope.js';

/** Ids and enumerations only: anyone who can see a workflow can read them and search by them. */
export interface WorkflowAttributes {
  /** Public ids. */
  clientId: string;
  provider: string;
  channel?: string;
}

export interface WorkflowStart {
  /** At most one open run has it. A closed run does not block a new one. */
  workflowId: string;
  /** Name of the workflow function. */
  type: string;
  queue: string;
  /** Its one argument. */
  input: object;
  attributes: WorkflowAttributes;
  /** For the Temporal UI: one line, and Markdown. */
  summary: string;
  details: string;
}

export interface WorkflowSignal {
  name: string;
  args: unknown[];
}

/** An entity that has work and needs a workflow: a conversation, a provider account. */
export interface DueWorkflow {
  /** uuid of the entity. */
  id: string;
  start: WorkflowStart;
  /** No activity for an hour: its run may be stuck. */
  isQuiet: boolean;
}

/** One kind of workflow: which entities need one, and how it is started. Ids are uuids. */
export interface WorkflowKind {
  /** Name of the workflow function. */
  readonly type: string;
  /** Entities that have work, ordered by id, after `after` (null: from the beginning), at most `limit`. */
  due(tx: Transaction, after: string | null, limit: number): Promise<DueWorkflow[]>;
  /** Those of `ids` that have work. */
  dueAmong(tx: Transaction, ids: readonly string[]): Promise<DueWorkflow[]>;
  /** Starts for `ids`, whether they have work or not. Entities that no longer exist are left out. */
  startsOf(tx: Transaction, ids: readonly string[]): Promise<Map<string, WorkflowStart>>;
  /** The signal for a command (workflow-commands.ts); null: starting the workflow is enough. */
  signalOf(command: string): WorkflowSignal | null;
  /** The entity of the workflow with this id; null: a workflow of another kind. */
  entityIdOf(workflowId: string): string | null;
}

export interface FailedRun {
  workflowId: string;
  runId: string;
  /** Epoch milliseconds. */
  closedAt: number;
}

/** Which listed runs to return: at most `limit`, without known ones. */
export interface WantedRuns {
  limit: number;
  isKnown: (runId: string) => boolean;
}

/** Temporal as the outbox uses it. Calls end within 5 s; failed ones throw CallFailed. */
export interface Workflows {
  /** Starts the workflow unless it is running; false if it was. */
  start(start: WorkflowStart): Promise<boolean>;
  /** Signals the workflow, and starts it if it is not running. */
  signal(start: WorkflowStart, signal: WorkflowSignal): Promise<void>;
  /**
   * Replaces a stuck run, whose workflow task keeps failing. False if there is none. The new run reads Postgres and continues
   * from there.
   */
  replaceStuck(start: WorkflowStart): Promise<boolean>;
  /** Runs of that type that have failed since. Throws if Temporal forbids listing. */
  failedSince(type: string, since: Date, wanted: WantedRuns): Promise<FailedRun[]>;
}

/** The connection to Temporal, which may be lost and restored. */
export abstract class WorkflowConnection {
  /** Null while Temporal is unavailable. */
  abstract readonly workflows: Workflows | null;
}
