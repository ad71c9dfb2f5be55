// Creates the provider accounts of the simulators through our own API: each with its client, one with an agent of another.
import { randomBytes, randomUUID } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { OwnApi } from './own-api.js';
import { freePort } from '../ports.js';

interface Demo {
  name: string;
  client: string;
  /** Agents whose conversations belong to a client of their own. */
  agents: { id: string; client: string }[];
  settings: { poll_active_seconds?: number };
}

/** The account to create for each simulated provider. */
const DEMOS = {
  retell: {
    name: 'Retell (simulated)',
    client: 'Fern and Field (simulated)',
    agents: [{ id: 'agent_7c1d0e5b2f9a4438a6d1', client: 'Northwind Energy (simulated)' }],
    settings: {},
  },
  elevenlabs: {
    name: 'ElevenLabs (simulated)',
    client: 'Blue Heron Travel (simulated)',
    agents: [],
    // ElevenLabs sends no webhook at the start of a conversation, so live ones are found by polling.
    settings: { poll_active_seconds: 5 },
  },
} satisfies Record<string, Demo>;

export type DemoProvider = keyof typeof DEMOS;

/** The simulated providers. */
export const DEMO_PROVIDERS: readonly DemoProvider[] = ['retell', 'elevenlabs'];

/** One simulated account. Retell signs with the API key. */
export interface DemoAccount {
  port: number;
  apiKey: string;
  webhookSecret: string;
  accountId: string;
}

/** State across starts, in `simulators.json` of the data folder. */
interface DemoState {
  /** Part of the idempotency keys, so that an interrupted start can repeat its POSTs. */
  seed: string;
  accounts: Partial<Record<DemoProvider, Partial<DemoAccount>>>;
}

/** The current form, or the earlier one when Retell was the only simulated provider. */
type SavedState = Partial<DemoState> & Partial<Pick<DemoAccount, 'port' | 'apiKey' | 'accountId'>>;

const retellOf = ({ port, apiKey, accountId }: SavedState): DemoState['accounts'] =>
  apiKey === undefined || port === undefined ? {} : { retell: { port, apiKey, ...(accountId && { accountId }) } };

/** Reads the state, and writes it after every change. */
class StateFile {
  private readonly state: DemoState;
  private readonly file: string;

  constructor(dataDir: string) {
    this.file = join(dataDir, 'simulators.json');
    const saved = existsSync(this.file) ? (JSON.parse(readFileSync(this.file, 'utf8')) as SavedState) : {};
    this.state = { seed: saved.seed ?? randomUUID(), accounts: saved.accounts ?? retellOf(saved) };
  }

  get seed(): string {
    return this.state.seed;
  }

  of(provider: DemoProvider): Partial<DemoAccount> {
    return this.state.accounts[provider] ?? {};
  }

  update(provider: DemoProvider, change: Partial<DemoAccount>): void {
    this.state.accounts[provider] = { ...this.of(provider), ...change };
    this.write();
  }

  /** For a new database: uses new idempotency keys. */
  renewSeed(): void {
    this.state.seed = randomUUID();
    this.write();
  }

  private write(): void {
    writeFileSync(this.file, `${JSON.stringify(this.state, null, 2)}\n`, { mode: 0o600 });
  }
}

export type DemoPorts = Record<DemoProvider, number>;

/** The port of each simulator; that of the last start if it is free. */
export async function demoPorts(dataDir: string): Promise<DemoPorts> {
  const state = new StateFile(dataDir);
  const retell = await freePort(state.of('retell').port);
  return { retell, elevenlabs: await freePort(state.of('elevenlabs').port) };
}

/** Entries for `COLLOQUY_EGRESS_ALLOW`, so that API and worker may send requests to the simulators. */
export const egressEntries = (ports: DemoPorts): string[] =>
  DEMO_PROVIDERS.map((provider) => `${HOST}:${ports[provider]}`);

/** Creates clients and accounts unless they exist, and updates each account's `base_url` to its simulator's port. */
export async function prepareAccounts(
  dataDir: string,
  ports: DemoPorts,
  admin: OwnApi,
): Promise<Record<DemoProvider, DemoAccount>> {
  const state = new StateFile(dataDir);
  const retell = await prepareAccount(state, ['retell', ports.retell], admin);
  return { retell, elevenlabs: await prepareAccount(state, ['elevenlabs', ports.elevenlabs], admin) };
}

async function prepareAccount(
  state: StateFile,
  [provider, port]: [DemoProvider, number],
  admin: OwnApi,
): Promise<DemoAccount> {
  const known = state.of(provider);
  const apiKey = known.apiKey ?? `key_${randomBytes(16).toString('hex')}`;
  const webhookSecret =
    provider === 'retell' ? apiKey : (known.webhookSecret ?? `wsec_${randomBytes(16).toString('hex')}`);
  state.update(provider, { apiKey, webhookSecret, port });
  const accountId = await existing(known.accountId, { port, apiKey }, admin);
  if (accountId !== undefined) return { port, apiKey, webhookSecret, accountId };
  if (known.accountId !== undefined) state.renewSeed();
  const created = await createAccount(state.seed, provider, { port, apiKey, webhookSecret }, admin);
  state.update(provider, { accountId: created });
  return { port, apiKey, webhookSecret, accountId: created };
}

const HOST = '127.0.0.1';
const baseUrlOf = (port: number): string => `http://${HOST}:${port}`;

/** The account of an earlier start, if the database still has it. */
async function existing(
  accountId: string | undefined,
  { port, apiKey }: Pick<DemoAccount, 'port' | 'apiKey'>,
  admin: OwnApi,
): Promise<string | undefined> {
  const path = `/v1/provider-accounts/${accountId ?? ''}`;
  const account = accountId === undefined ? undefined : await admin.get(path);
  if (account === undefined) return undefined;
  // The API requires the key again when the address changes, because it is sent there from now on.
  const moved = { base_url: baseUrlOf(port), api_key: apiKey };
  if (account['base_url'] !== moved.base_url) await admin.patch(path, moved);
  return accountId;
}

async function createAccount(
  seed: string,
  provider: DemoProvider,
  secrets: Omit<DemoAccount, 'accountId'>,
  admin: OwnApi,
): Promise<string> {
  const { name, client, agents, settings }: Demo = DEMOS[provider];
  const owner = await admin.post('/v1/clients', { name: client }, `up-client-${provider}-${seed}`);
  const others = agents.map(async ({ id, client: other }) => {
    const { id: clientId } = await admin.post('/v1/clients', { name: other }, `up-client-${id}-${seed}`);
    return { provider_agent_id: id, client_id: String(clientId) };
  });
  const { port, apiKey, webhookSecret } = secrets;
  const body = {
    provider,
    name,
    client_id: String(owner['id']),
    api_key: apiKey,
    webhook_secret: webhookSecret,
    base_url: baseUrlOf(port),
    backfill_days: 7,
    agent_clients: await Promise.all(others),
    ...settings,
  };
  const account = await admin.post('/v1/provider-accounts', body, `up-account-${provider}-${seed}-${port}`);
  return String(account['id']);
}
