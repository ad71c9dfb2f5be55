// Workflows as workers take them: bundled once, so that workers start at once and images need no bundler.
import { resolve } from 'node:path';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';

/**
 * Bundles the workflows of the checkout that is the current folder. From their sources: a folder of compiled files keeps
 * those of workflows that are gone.
 */
export async function bundleWorkflows(): Promise<string> {
  const { code } = await bundleWorkflowCode({
    workflowsPath: resolve('workflows/index.cjs'),
    workflowInterceptorModules: [resolve('workflows/trace.ts')],
    logger: new DefaultLogger('WARN'),
  });
  return code;
}
