// What the outbox knows of workflows: plain values. Temporal's client makes starts and signals of them (src/temporal/).
import type { Transaction } from '../database/with-scope.js';

/** Ids and enumerations only: whoever may see a workflow may read and search by them. */
export interface WorkflowAttributes {
  /** Public ids. */
  clientId: string;
  provider: string;
  channel?: string;
}

export interface WorkflowStart {
  /** One run at a time has it. A closed run does not block a new one. */
  workflowId: string;
  /** Name of the workflow function. */
  type: string;
  queue: string;
  /** Its one argument. */
  input: object;
  attributes: WorkflowAttributes;
  /** A line, and Markdown, that the Temporal UI shows. */
  summary: string;
  details: string;
}

export interface WorkflowSignal {
  name: string;
  args: unknown[];
}

/** Something that has work and needs a workflow for it: a conversation, a provider account. */
export interface DueWorkflow {
  /** uuid of what it works for. */
  id: string;
  start: WorkflowStart;
  /** Nothing has been heard for an hour: its run may be stuck. */
  isQuiet: boolean;
}

/** One kind of workflow: what must run, and how it is started. Ids are uuids. */
export interface WorkflowKind {
  /** Name of the workflow function. */
  readonly type: string;
  /** What has work, in order of id, after `after` (null: from the beginning), at most `limit`. */
  due(tx: Transaction, after: string | null, limit: number): Promise<DueWorkflow[]>;
  /** Those of `ids` that have work. */
  dueAmong(tx: Transaction, ids: readonly string[]): Promise<DueWorkflow[]>;
  /** Starts of `ids`, whether they have work or not. What is gone is left out. */
  startsOf(tx: Transaction, ids: readonly string[]): Promise<Map<string, WorkflowStart>>;
  /** The signal that a command of this kind sends (workflow-commands.ts); null: the workflow need only run. */
  signalOf(command: string): WorkflowSignal | null;
  /** What the workflow with this id works for; null: another kind's. */
  entityIdOf(workflowId: string): string | null;
}

export interface FailedRun {
  workflowId: string;
  runId: string;
  /** Epoch milliseconds. */
  closedAt: number;
}

/** Which runs of a list: at most `limit`, without those that are known. */
export interface WantedRuns {
  limit: number;
  isKnown: (runId: string) => boolean;
}

/** Temporal as the outbox uses it. Calls end within 5 s; those that Temporal does not carry out throw CallFailed. */
export interface Workflows {
  /** Starts the workflow unless it runs; false when it did. */
  start(start: WorkflowStart): Promise<boolean>;
  /** Signals the workflow; starts one if none runs. */
  signal(start: WorkflowStart, signal: WorkflowSignal): Promise<void>;
  /**
   * Replaces a run that cannot get on: its workflow task fails again and again. False when there is no such run. A new one
   * reads Postgres and goes on from there.
   */
  replaceStuck(start: WorkflowStart): Promise<boolean>;
  /** Runs of that type that have failed since. Throws where Temporal forbids to list. */
  failedSince(type: string, since: Date, wanted: WantedRuns): Promise<FailedRun[]>;
}

/** The connection to Temporal, which comes and goes. */
export abstract class WorkflowConnection {
  /** Null while Temporal is away. */
  abstract readonly workflows: Workflows | null;
}
