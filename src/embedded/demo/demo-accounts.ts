// The simulated providers' accounts, made through our own API: each with its client, one with an agent of another client.
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

/** What is made for each provider. */
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
    // ElevenLabs tells of no start: live conversations are found by asking.
    settings: { poll_active_seconds: 5 },
  },
} satisfies Record<string, Demo>;

export type DemoProvider = keyof typeof DEMOS;

/** The providers that are simulated. */
export const DEMO_PROVIDERS: readonly DemoProvider[] = ['retell', 'elevenlabs'];

/** One simulated account. Retell signs with the API key. */
export interface DemoAccount {
  port: number;
  apiKey: string;
  webhookSecret: string;
  accountId: string;
}

/** What is remembered across starts, in `simulators.json` of the data folder. */
interface DemoState {
  /** Makes repeated POSTs of an interrupted start the same request. */
  seed: string;
  accounts: Partial<Record<DemoProvider, Partial<DemoAccount>>>;
}

/** As it was written while Retell was the only simulated provider, or as it is now. */
type SavedState = Partial<DemoState> & Partial<Pick<DemoAccount, 'port' | 'apiKey' | 'accountId'>>;

const retellOf = ({ port, apiKey, accountId }: SavedState): DemoState['accounts'] =>
  apiKey === undefined || port === undefined ? {} : { retell: { port, apiKey, ...(accountId && { accountId }) } };

/** The remembered state, written at every change. */
class Memory {
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

  remember(provider: DemoProvider, change: Partial<DemoAccount>): void {
    this.state.accounts[provider] = { ...this.of(provider), ...change };
    this.write();
  }

  /** The database is not the one of the last start: its keys of repetition are not either. */
  forget(): void {
    this.state.seed = randomUUID();
    this.write();
  }

  private write(): void {
    writeFileSync(this.file, `${JSON.stringify(this.state, null, 2)}\n`, { mode: 0o600 });
  }
}

export type DemoPorts = Record<DemoProvider, number>;

/** The port of each simulator, that of the last start where it is free. */
export async function demoPorts(dataDir: string): Promise<DemoPorts> {
  const memory = new Memory(dataDir);
  const retell = await freePort(memory.of('retell').port);
  return { retell, elevenlabs: await freePort(memory.of('elevenlabs').port) };
}

/** Where API and worker may send requests, as `COLLOQUY_EGRESS_ALLOW` lists it. */
export const placesOf = (ports: DemoPorts): string[] => DEMO_PROVIDERS.map((provider) => `${HOST}:${ports[provider]}`);

/** Makes clients and accounts unless they exist, and lets each account's `base_url` follow its simulator's port. */
export async function prepareAccounts(
  dataDir: string,
  ports: DemoPorts,
  admin: OwnApi,
): Promise<Record<DemoProvider, DemoAccount>> {
  const memory = new Memory(dataDir);
  const retell = await prepareAccount(memory, ['retell', ports.retell], admin);
  return { retell, elevenlabs: await prepareAccount(memory, ['elevenlabs', ports.elevenlabs], admin) };
}

async function prepareAccount(
  memory: Memory,
  [provider, port]: [DemoProvider, number],
  admin: OwnApi,
): Promise<DemoAccount> {
  const known = memory.of(provider);
  const apiKey = known.apiKey ?? `key_${randomBytes(16).toString('hex')}`;
  const webhookSecret =
    provider === 'retell' ? apiKey : (known.webhookSecret ?? `wsec_${randomBytes(16).toString('hex')}`);
  memory.remember(provider, { apiKey, webhookSecret, port });
  const accountId = await existing(known.accountId, { port, apiKey }, admin);
  if (accountId !== undefined) return { port, apiKey, webhookSecret, accountId };
  if (known.accountId !== undefined) memory.forget();
  const made = await makeAccount(memory.seed, provider, { port, apiKey, webhookSecret }, admin);
  memory.remember(provider, { accountId: made });
  return { port, apiKey, webhookSecret, accountId: made };
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
  // Another address wants the key again, because it is sent there from now on.
  const moved = { base_url: baseUrlOf(port), api_key: apiKey };
  if (account['base_url'] !== moved.base_url) await admin.patch(path, moved);
  return accountId;
}

async function makeAccount(
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
  const made = await admin.post('/v1/provider-accounts', body, `up-account-${provider}-${seed}-${port}`);
  return String(made['id']);
}
