// Part of the build: bundles the workflows, so that workers start at once and images need no bundler.
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';

const { code } = await bundleWorkflowCode({
  workflowsPath: fileURLToPath(new URL('../../workflows/index.js', import.meta.url)),
  workflowInterceptorModules: [fileURLToPath(new URL('../../workflows/trace.js', import.meta.url))],
  logger: new DefaultLogger('WARN'),
});
await writeFile(new URL('../../workflow-bundle.js', import.meta.url), code);
