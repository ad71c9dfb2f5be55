// One real Postgres and one real Temporal for the whole run, on free ports and in a temporary folder.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { TestProject } from 'vitest/node';
import { startPostgres } from '../../src/embedded/postgres/postgres.js';
import { findTemporalCli } from '../../src/embedded/temporal/temporal-cli.js';
import { startTemporal } from '../../src/embedded/temporal/temporal.js';
import { bundleWorkflows } from '../../src/temporal/workflow-bundle.js';
import { prepareTemplates } from './databases.js';

/** Enough for all installations of the specs; each takes one, and fails if none is left. */
const NAMESPACES = Array.from({ length: 96 }, (_, index) => `test-${index}`);

export interface TestServices {
  postgresUrl: string;
  temporalAddress: string;
  temporalCli: string;
  runDir: string;
  /** Temporal namespaces, each to be taken once. */
  namespaces: string[];
  /** The workflows, bundled from source once per run. */
  workflowBundle: string;
}

declare module 'vitest' {
  export interface ProvidedContext {
    services: TestServices;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const runDir = mkdtempSync(join(tmpdir(), 'colloquy-test-'));
  mkdirSync(join(runDir, 'namespaces'));
  const { path: binary } = await findTemporalCli({
    cliPath: process.env['TEMPORAL_CLI_PATH'],
    env: process.env,
    cacheDir: resolve('.cache/temporal'),
    report: (line) => process.stderr.write(`${line}\n`),
  });
  const [postgres, temporal] = await Promise.all([
    startPostgres({ dataDir: join(runDir, 'postgres'), durable: false, databases: [] }),
    startTemporal({
      binary,
      dbFile: join(runDir, 'temporal.db'),
      namespaces: NAMESPACES,
      uiPort: false,
      durable: false,
    }),
  ]);
  const workflowBundle = join(runDir, 'workflow-bundle.js');
  writeFileSync(workflowBundle, await bundleWorkflows());
  await prepareTemplates(postgres.url('postgres'));
  project.provide('services', {
    postgresUrl: postgres.url('postgres'),
    temporalAddress: temporal.address,
    temporalCli: binary,
    runDir,
    namespaces: NAMESPACES,
    workflowBundle,
  });
  return async () => {
    await Promise.all([temporal.stop(), postgres.stop()]);
    rmSync(runDir, { recursive: true, force: true });
  };
}
