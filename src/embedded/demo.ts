// The simulated provider: a client and a Retell account made through our own API, the simulator's traffic, and one
// transcript to show.
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { nodeService } from './node-service.js';
import type { OwnApi } from './own-api.js';
import { freePort } from './ports.js';
import { PROGRAM_STOP_MS } from './services.js';
import type { Service } from './supervisor.js';

/** What is remembered across starts, in `simulators.json` of the data folder. */
interface SimulatorState {
  /** Makes repeated POSTs of an interrupted start the same request. */
  seed: string;
  apiKey: string;
  port: number;
  clientId?: string;
  accountId?: string;
}

export interface Simulator {
  port: number;
  apiKey: string;
  accountId: string;
}

/** Makes client and account unless they exist, and lets the account's `base_url` follow the simulator's port. */
export async function prepareSimulator(dataDir: string, admin: OwnApi): Promise<Simulator> {
  const file = join(dataDir, 'simulators.json');
  const state: SimulatorState = existsSync(file)
    ? (JSON.parse(readFileSync(file, 'utf8')) as SimulatorState)
    : { seed: randomUUID(), apiKey: `key_${randomBytes(16).toString('hex')}`, port: 0 };
  const remember = (change: Partial<SimulatorState>): void => {
    Object.assign(state, change);
    writeFileSync(file, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 });
  };
  const port = await freePort(state.port === 0 ? undefined : state.port);
  remember({ port });
  const baseUrl = `http://127.0.0.1:${port}`;
  const account =
    state.accountId === undefined ? undefined : await admin.get(`/v1/provider-accounts/${state.accountId}`);
  if (state.accountId !== undefined && account !== undefined) {
    if (account['base_url'] !== baseUrl)
      await admin.patch(`/v1/provider-accounts/${state.accountId}`, { base_url: baseUrl });
    return { port, apiKey: state.apiKey, accountId: state.accountId };
  }
  // The database is not the one of the last start: its keys of repetition are not either.
  if (state.accountId !== undefined) remember({ seed: randomUUID() });
  const client = await admin.post('/v1/clients', { name: 'Fern and Field (simulated)' }, `up-client-${state.seed}`);
  const clientId = String(client['id']);
  const body = {
    provider: 'retell',
    name: 'Retell (simulated)',
    client_id: clientId,
    api_key: state.apiKey,
    base_url: baseUrl,
  };
  const made = await admin.post(
    '/v1/provider-accounts',
    { ...body, backfill_days: 0 },
    `up-account-${state.seed}-${port}`,
  );
  const accountId = String(made['id']);
  remember({ clientId, accountId });
  return { port, apiKey: state.apiKey, accountId };
}

/** The simulator's process. Its state lies outside the data folder: it plays the provider, whose memory is not ours. */
export function simulatorService(options: {
  root: string;
  dataDir: string;
  simulator: Simulator;
  apiUrl: string;
  env: NodeJS.ProcessEnv;
  log: string;
}): Service {
  const { root, dataDir, simulator, apiUrl, env, log } = options;
  const folder = createHash('sha256').update(dataDir).digest('hex').slice(0, 12);
  const stateDir = join(root, '.cache', 'simulators', folder);
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  const webhookUrl = `${apiUrl}/v1/webhooks/${simulator.accountId}`;
  const where = ['--port', String(simulator.port), '--state-dir', stateDir];
  return nodeService({
    name: 'the Retell simulator',
    args: [join(root, 'dist/simulators/main.js'), ...where, '--api-key', simulator.apiKey, '--webhook-url', webhookUrl],
    env,
    log,
    stopMs: PROGRAM_STOP_MS,
    together: true,
    isReady: (output) => output.includes('"event":"ready"') && output.includes(`127.0.0.1:${simulator.port}`),
    readyMs: 20_000,
  });
}

/** The path of a transcript that can be read, or undefined when none appears within `waitMs`. */
export async function findTranscript(reader: OwnApi, waitMs: number): Promise<string | undefined> {
  for (const until = Date.now() + waitMs; ; await sleep(500)) {
    const page = await reader.get('/v1/conversations?limit=50');
    const rows = (page?.['data'] ?? []) as { id: string; completeness?: { transcript?: { state?: string } } }[];
    const row = rows.find(({ completeness }) => completeness?.transcript?.state === 'present');
    const path = row === undefined ? undefined : `/v1/conversations/${row.id}/transcript?format=text`;
    // Read once here, so that the line that is printed is known to work.
    if (path !== undefined && (await reader.text(path))) return path;
    if (Date.now() >= until) return undefined;
  }
}
