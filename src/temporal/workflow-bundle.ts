// Bundles the workflows for workers, at build time, so that workers start quickly and images need no bundler.
import { resolve } from 'node:path';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';

/**
 * Bundles the workflows of the checkout in the current folder, from their sources, because the output folder may still contain
 * compiled workflows that were deleted.
 */
export async function bundleWorkflows(): Promise<string> {
  const { code } = await bundleWorkflowCode({
    workflowsPath: resolve('workflows/index.cjs'),
    workflowInterceptorModules: [resolve('workflows/trace.ts')],
    logger: new DefaultLogger('WARN'),
  });
  return code;
}
