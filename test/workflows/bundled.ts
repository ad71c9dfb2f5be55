// Reads the workflows of the bundle from the bundle itself.
import { readFileSync } from 'node:fs';
import { createContext, runInContext } from 'node:vm';
import { inject } from 'vitest';

/** Names of all workflows that can be started. */
export function bundledWorkflows(): string[] {
  const context = createContext({ __webpack_module_cache__: {} });
  runInContext(readFileSync(inject('services').workflowBundle, 'utf8'), context);
  return Object.keys(runInContext('__TEMPORAL__.importWorkflows()', context) as object).toSorted();
}
