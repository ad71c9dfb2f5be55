// What the bundle of workflows holds, asked of the bundle itself.
import { readFileSync } from 'node:fs';
import { createContext, runInContext } from 'node:vm';
import { inject } from 'vitest';

/** Names that workflows can be started by. */
export function bundledWorkflows(): string[] {
  const context = createContext({ __webpack_module_cache__: {} });
  runInContext(readFileSync(inject('services').workflowBundle, 'utf8'), context);
  return Object.keys(runInContext('__TEMPORAL__.importWorkflows()', context) as object).toSorted();
}
