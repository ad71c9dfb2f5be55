// A deployment with a client and one account for each provider, ready for traffic.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Pool } from 'pg';
import { inject } from 'vitest';
import { startProviders } from './providers/all.js';
import type { BatteryProvider } from './providers/provider.js';
import { startSite, type Deployment, type SiteOptions } from './deployment.js';
import type { Line } from './traffic.js';

/** Seconds: short, so that missing parts are declared absent within a test. */
const DEADLINES = { silence: 6, ask_every: 3, analysis: 15, transcript: 15, audio: 20 };

export interface Battery {
  deployment: Deployment;
  lines: Line[];
  /** Superuser, to look at tables from outside. */
  sql: Pool;
  close(): Promise<void>;
}

/** Starts everything in its own folder. */
export async function startBattery(options: Partial<SiteOptions> = {}): Promise<Battery> {
  const { runDir, temporalCli } = inject('services');
  const folder = mkdtempSync(join(runDir, 'battery-'));
  mkdirSync(join(folder, 'data'));
  const providers = await startProviders();
  const urls = providers.map(({ account }) => account.base_url);
  const deployment = await startSite({ folder, temporalCli, providers: urls, ...options });
  const sql = new Pool({ connectionString: deployment.databaseUrl, max: 2 });
  // Idle connections fail when Postgres is killed.
  sql.on('error', () => undefined);
  const { id: clientId } = await made(deployment, '/v1/clients', { name: 'Battery' });
  const lines = await Promise.all(providers.map((provider) => lineOf(deployment, clientId, provider)));
  return {
    deployment,
    lines,
    sql,
    close: async () => {
      await sql.end();
      await deployment.close();
      await Promise.all(providers.map((provider) => provider.close()));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function lineOf(deployment: Deployment, clientId: string | undefined, provider: BatteryProvider): Promise<Line> {
  const { id: accountId = '' } = await made(deployment, '/v1/provider-accounts', {
    provider: provider.name,
    name: 'Battery',
    client_id: clientId,
    backfill_days: 0,
    deadlines: DEADLINES,
    ...provider.account,
  });
  return { provider, accountId, webhookUrl: `${deployment.url}/v1/webhooks/${accountId}` };
}

/** Creates a resource as admin. */
export async function made(
  deployment: Deployment,
  path: string,
  body: unknown,
): Promise<{ id?: string; secret?: string }> {
  const { status, body: answer } = await deployment.call(path, { body, key: deployment.adminKey });
  if (status !== 201) throw new Error(`${path} answered ${status}: ${JSON.stringify(answer)}`);
  return answer;
}
