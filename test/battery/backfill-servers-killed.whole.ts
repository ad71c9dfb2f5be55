// A complete deployment whose servers are killed during the backfill of an account.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { startRetellSimulator, type RetellSimulator } from '../../simulators/retell/index.js';
import { conversationsOf } from './audit.js';
import { made } from './installation.js';
import { startSite, type Part, type Deployment } from './deployment.js';
import { eventually } from '../support/eventually.js';
import { endPrograms } from '../support/programs.js';
import { addPast, type Progress } from '../reconciliation/account.js';

/** At the default rate of 20 requests a second and two requests per call: at least twenty seconds. */
const CALLS = 200;

let folder: string;
let deployment: Deployment;
let retell: RetellSimulator;
let calls: string[];

beforeAll(async () => {
  const { runDir, temporalCli } = inject('services');
  folder = mkdtempSync(join(runDir, 'servers-killed-'));
  mkdirSync(join(folder, 'data'));
  retell = await startRetellSimulator({ port: 0, apiKey: 'key_test' });
  deployment = await startSite({ folder, temporalCli, providers: [retell.baseUrl] });
  calls = addPast({ retell }, CALLS, 2);
}, 120_000);
afterAll(async () => {
  await deployment.close();
  endPrograms();
  await retell.close();
  rmSync(folder, { recursive: true, force: true });
});

async function accountWithPast(): Promise<string> {
  const { id: clientId } = await made(deployment, '/v1/clients', { name: 'Past' });
  const account = { provider: 'retell', name: 'Past', client_id: clientId, backfill_days: 3 };
  const { id = '' } = await made(deployment, '/v1/provider-accounts', {
    ...account,
    api_key: retell.apiKey,
    base_url: retell.baseUrl,
  });
  return id;
}

/** The progress once it satisfies `fits`; the request fails while Postgres is down. */
const progressWhen = (accountId: string, fits: (progress: Progress) => boolean): Promise<Progress> =>
  eventually(async () => {
    const { status, body } = await deployment.call(`/v1/provider-accounts/${accountId}`, { key: deployment.adminKey });
    const progress = body['backfill'] as Progress;
    return status === 200 && fits(progress) && progress;
  }, 120);

async function killed(part: Part): Promise<void> {
  await deployment.kill(part);
  await deployment.start(part);
}

describe('a backfill while Postgres and then Temporal are killed', () => {
  it('imports everything exactly once', { timeout: 240_000 }, async () => {
    const accountId = await accountWithPast();
    for (const [part, added] of [['postgres', CALLS / 5] as const, ['temporal', (2 * CALLS) / 5] as const]) {
      const before = await progressWhen(accountId, (progress) => progress.added >= added);
      expect(before.status).toBe('running');
      await killed(part);
    }
    const progress = await progressWhen(accountId, ({ status }) => status === 'completed');
    expect(progress).toMatchObject({ checked: CALLS, skipped: 0, last_error: null });
    const listed = await eventually(async () => {
      const found = await conversationsOf(deployment, accountId);
      return found.every(({ record_state: state }) => state === 'settled') && found;
    }, 60);
    expect(new Set(listed.map((found) => found.provider_conversation_id))).toEqual(new Set(calls));
    expect(listed).toHaveLength(CALLS);
    expect(listed.every(({ completeness }) => completeness['audio']?.state === 'present')).toBe(true);
    expect(deployment.losses).toEqual([]);
  });
});
