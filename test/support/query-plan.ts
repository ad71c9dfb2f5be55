// What PostgreSQL really does for a statement, by `explain (analyze)`.
import type { Statement } from '../../src/database/with-scope.js';

/** A node of a plan with what a run of it read. */
export interface PlanNode {
  'Node Type': string;
  'Actual Rows': number;
  'Actual Loops': number;
  'Rows Removed by Filter'?: number;
  'Relation Name'?: string;
  'Index Name'?: string;
  'Shared Hit Blocks'?: number;
  Plans?: PlanNode[];
}

type Explained = { 'QUERY PLAN': [{ Plan: PlanNode }] };

/** Runs a statement through `query` and resolves with the root of its plan. */
export async function explain(
  query: (statement: Statement) => Promise<Explained[]>,
  { text, values }: Statement,
): Promise<PlanNode> {
  const [row] = await query({ text: `explain (analyze, buffers, format json) ${text}`, ...(values && { values }) });
  if (row === undefined) throw new Error('nothing was explained');
  return row['QUERY PLAN'][0].Plan;
}

/** A node and all nodes below it. */
export const nodesOf = (plan: PlanNode): PlanNode[] => [plan, ...(plan.Plans ?? []).flatMap(nodesOf)];

/** Rows that a node examined, including those that its filter removed. */
export const rowsOf = (node: PlanNode): number =>
  (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops'];
