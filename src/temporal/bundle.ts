// Part of the build: writes the workflow bundle into the output folder.
import { writeFile } from 'node:fs/promises';
import { bundleWorkflows } from './workflow-bundle.js';

await writeFile(new URL('../../workflow-bundle.js', import.meta.url), await bundleWorkflows());
