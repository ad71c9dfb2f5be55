// All kinds of workflow, as registered in src/temporal/registry.ts.
import type { WorkflowKind } from './workflow-kind.js';

export class WorkflowKinds {
  private readonly byType: ReadonlyMap<string, WorkflowKind>;

  constructor(readonly all: readonly WorkflowKind[]) {
    this.byType = new Map(all.map((kind) => [kind.type, kind]));
  }

  get types(): string[] {
    return [...this.byType.keys()];
  }

  /** The kind of that type, which must be one of {@link types}. */
  of(type: string): WorkflowKind {
    const kind = this.byType.get(type);
    if (kind === undefined) throw new Error(`no kind of workflow is registered as ${type}`);
    return kind;
  }
}
