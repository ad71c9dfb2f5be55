// Asks for the first backfill of an account and waits until it is done.
import { eventually } from '../support/eventually.js';
import type { Deployment } from './deployment.js';

interface Progress {
  status: string;
  checked: number;
  added: number;
}

/** Backfills the last day; resolves when it is completed. */
export async function backfilled(deployment: Deployment, accountId: string, seconds: number): Promise<Progress> {
  const path = `/v1/provider-accounts/${accountId}`;
  const asked = await deployment.call(path, { method: 'PATCH', body: { backfill_days: 1 }, key: deployment.adminKey });
  if (asked.status !== 200) throw new Error(`the change answered ${asked.status}: ${JSON.stringify(asked.body)}`);
  return eventually(async () => {
    const progress = (await deployment.call(path, { key: deployment.adminKey })).body['backfill'] as Progress;
    return progress.status === 'completed' && progress;
  }, seconds);
}
