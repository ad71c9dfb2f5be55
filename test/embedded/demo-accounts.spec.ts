import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { demoPorts, egressEntries, prepareAccounts, type DemoPorts } from '../../src/embedded/demo/demo-accounts.js';
import { ownApi, type OwnApi } from '../../src/embedded/demo/own-api.js';
import { AGENTS } from '../../simulators/retell/agents.js';
import { startHttpApp, type HttpApp } from '../http/http-app.js';

let http: HttpApp;
let admin: OwnApi;
let dataDir: string;
let ports: DemoPorts;

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'colloquy-demo-'));
  ports = await demoPorts(dataDir);
  http = await startHttpApp({ COLLOQUY_EGRESS_ALLOW: egressEntries(ports).join(',') });
  await http.app.listen(0, '127.0.0.1');
  admin = ownApi(await http.app.getUrl(), http.adminKey);
});
afterAll(async () => {
  await http.stop();
  rmSync(dataDir, { recursive: true });
});

const memory = (): string => join(dataDir, 'simulators.json');
const saved = (): { accounts: Record<string, { accountId: string }> } =>
  JSON.parse(readFileSync(memory(), 'utf8')) as { accounts: Record<string, { accountId: string }> };
const accountIds = async (): Promise<unknown[]> =>
  ((await admin.get('/v1/provider-accounts?limit=50')) as { data: { id: string }[] }).data.map(({ id }) => id);

describe('accounts of the simulated providers', () => {
  it('are created once, and found again at the next start', async () => {
    const { retell, elevenlabs } = await prepareAccounts(dataDir, ports, admin);
    expect(await accountIds()).toEqual([retell.accountId, elevenlabs.accountId]);
    expect(await prepareAccounts(dataDir, ports, admin)).toEqual({ retell, elevenlabs });
    expect(await accountIds()).toHaveLength(2);
  });

  it('follow their simulator to another port', async () => {
    const { retell } = await prepareAccounts(dataDir, { ...ports, retell: ports.elevenlabs }, admin);
    const account = await admin.get(`/v1/provider-accounts/${retell.accountId}`);
    expect(account).toMatchObject({ base_url: `http://127.0.0.1:${ports.elevenlabs}`, has_api_key: true });
    await prepareAccounts(dataDir, ports, admin);
  });

  it('send an agent of the simulated Retell to another client', async () => {
    const { retell } = await prepareAccounts(dataDir, ports, admin);
    const { client_id: owner, agent_clients: sent } = (await admin.get(
      `/v1/provider-accounts/${retell.accountId}`,
    )) as {
      client_id: string;
      agent_clients: { provider_agent_id: string; client_id: string }[];
    };
    const known = new Set(AGENTS.map(({ agent_id: id }) => id));
    expect(sent.map(({ provider_agent_id: id }) => known.has(id))).toEqual([true]);
    const names = await Promise.all(
      [owner, ...sent.map(({ client_id: id }) => id)].map(
        async (id) => (await admin.get(`/v1/clients/${id}`))?.['name'],
      ),
    );
    expect(names).toEqual(['Fern and Field (simulated)', 'Northwind Energy (simulated)']);
  });

  it('are completed if the folder was made when there was only Retell', async () => {
    const { retell, elevenlabs } = await prepareAccounts(dataDir, ports, admin);
    const { apiKey, port, accountId } = retell;
    writeFileSync(memory(), JSON.stringify({ seed: 'as-then', apiKey, port, clientId: 'cl_then', accountId }));
    const after = await prepareAccounts(dataDir, ports, admin);
    expect(after.retell).toEqual(retell);
    expect(after.elevenlabs.accountId).not.toBe(elevenlabs.accountId);
    expect(saved().accounts['elevenlabs']?.accountId).toBe(after.elevenlabs.accountId);
  });
});
