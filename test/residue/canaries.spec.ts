// Everything is sealed from the first row: names, numbers and words that arrive in webhooks are not found in plaintext in
// any file of the databases, logs, recordings or Temporal.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client as TemporalClient, Connection } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import {
  speechOf,
  startRetellSimulator,
  transcriptFields,
  type RetellSimulator,
} from '../../simulators/retell/index.js';
import { newSecret } from '../../src/access/api-key-secret.js';
import { startPostgres, type EmbeddedPostgres } from '../../src/embedded/postgres/postgres.js';
import { startTemporal, type EmbeddedTemporal } from '../../src/embedded/temporal/temporal.js';
import { placesOf } from '../support/egress.js';
import { eventually } from '../support/eventually.js';
import { logged, runProgram, type Program } from './processes.js';
import { filesBelow, scanFiles, scanText, type Hit } from './scan.js';
import { newRootKey } from '../support/root-key.js';

const WORDS = {
  name: 'Zephyrine Quackenbush',
  number: '+12025550173',
  'number without +': '12025550173',
  'agent number': '+12025550188',
  'transfer target': '+12025550199',
  email: 'zephyrine.quackenbush@example.test',
  phrase: 'my otter swallowed the amethyst',
  'tool argument': 'AMETHYST-4711-OTTER',
  summary: 'caller reports an amethyst-eating otter',
  metadata: 'crm-otter-8842',
  'agent name': 'Amethyst Support Line',
  'client name': 'Otterbank Holdings',
  'account name': 'Otterbank Retell Production',
  'provider id': 'call_otter_canary_0001',
  'call sid': 'CAotter00000000000000000000000042',
  secret: 'key_otter_retell_secret',
};
const canaries: Record<string, Buffer> = Object.fromEntries(
  Object.entries(WORDS).map(([name, word]) => [name, Buffer.from(word)]),
);

let folder: string;
let dataDir: string;
let postgres: EmbeddedPostgres;
let search: EmbeddedPostgres;
let temporal: EmbeddedTemporal;
let retell: RetellSimulator;
const programs: Program[] = [];
const admin = newSecret();
const reader = newSecret();
const port = 20_000 + Math.floor(Math.random() * 20_000);
const base = `http://127.0.0.1:${port}`;
let histories = '';

const request = async (
  path: string,
  { key = reader, ...options }: RequestInit & { key?: string } = {},
): Promise<Response> =>
  fetch(`${base}${path}`, {
    ...options,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
  });
const post = async (path: string, body: unknown): Promise<Record<string, string>> => {
  const response = await request(path, { key: admin, method: 'POST', body: JSON.stringify(body) });
  expect(response.status).toBe(201);
  return (await response.json()) as Record<string, string>;
};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'colloquy-residue-'));
  dataDir = join(folder, 'data');
  mkdirSync(join(folder, 'logs'));
  postgres = await startPostgres({ dataDir: join(folder, 'postgres'), log: join(folder, 'logs', 'postgres.log') });
  search = await startPostgres({ dataDir: join(folder, 'search'), log: join(folder, 'logs', 'search.log') });
  temporal = await startTemporal({
    binary: inject('services').temporalCli,
    dbFile: join(folder, 'temporal', 'temporal.db'),
    uiPort: false,
    log: join(folder, 'logs', 'temporal.log'),
  });
  retell = await startRetellSimulator({ port: 0, apiKey: WORDS.secret });
  newRootKey(dataDir);
  const env = {
    PORT: String(port),
    COLLOQUY_EGRESS_ALLOW: placesOf(retell.baseUrl),
    COLLOQUY_DATA_DIR: dataDir,
    DATABASE_URL: postgres.url('colloquy'),
    KEYSTORE_DATABASE_URL: postgres.url('colloquy_keystore'),
    SEARCH_DATABASE_URL: search.url('colloquy_search'),
    TEMPORAL_ADDRESS: temporal.address,
    COLLOQUY_BOOTSTRAP_KEY: admin,
    COLLOQUY_BOOTSTRAP_READ_KEY: reader,
    LOG_LEVEL: 'debug',
  };
  const migrate = runProgram('cli', env, join(folder, 'logs', 'migrate.log'), ['migrate']);
  await eventually(async () => migrate.child.exitCode !== null);
  expect(migrate.child.exitCode).toBe(0);
  const api = runProgram('main', env, join(folder, 'logs', 'api.log'));
  const worker = runProgram('worker', env, join(folder, 'logs', 'worker.log'));
  programs.push(api, worker);
  await Promise.all([logged(api, 'api ready'), logged(worker, 'worker ready')]);
  await liveThrough();
}, 120_000);

afterAll(async () => {
  for (const program of programs) await program.stop();
  await retell?.close();
  await temporal?.stop();
  await Promise.all([postgres?.stop(), search?.stop()]);
  rmSync(folder, { recursive: true, force: true });
});

/** One call with every canary in it: valid and invalid webhooks, reads of all kinds, a settled record. */
async function liveThrough(): Promise<void> {
  const client = await post('/v1/clients', { name: WORDS['client name'] });
  const account = await post('/v1/provider-accounts', {
    provider: 'retell',
    name: WORDS['account name'],
    client_id: client['id'],
    api_key: WORDS.secret,
    base_url: retell.baseUrl,
    backfill_days: 0,
  });
  const webhook = `${base}/v1/webhooks/${account['id']}`;
  const call = retell.addCall({
    call_id: WORDS['provider id'],
    agent_name: WORDS['agent name'],
    direction: 'inbound',
    call_type: 'phone_call',
    from_number: WORDS.number,
    to_number: WORDS['agent number'],
    telephony_identifier: { twilio_call_sid: WORDS['call sid'] },
    metadata: { crm: WORDS.metadata, email: WORDS.email },
    retell_llm_dynamic_variables: { customer_name: WORDS.name },
  });
  expect(await retell.deliver(webhook, 'call_started', call.call_id)).toBe(200);
  retell.endCall(call.call_id, {
    disconnection_reason: 'call_transfer',
    transfer_destination: WORDS['transfer target'],
    ...transcriptFields(
      speechOf('canary', [
        `A: Hello ${WORDS.name}`,
        `U: ${WORDS.phrase}`,
        { tool: 'look_up', arguments: { item: WORDS['tool argument'] }, result: { ok: true } },
      ]).items,
    ),
  });
  expect(await retell.deliver(webhook, 'call_ended', call.call_id)).toBe(200);
  retell.analyze(call.call_id, { call_summary: WORDS.summary });
  expect(await retell.deliver(webhook, 'call_analyzed', call.call_id, { times: 2 })).toBe(200);
  // Refused webhooks must not be logged either.
  expect(await retell.deliver(webhook, 'call_ended', call.call_id, { secret: 'wrong' })).toBe(401);
  expect(await retell.deliver(webhook, 'call_ended', call.call_id, { body: `not json ${WORDS.phrase}` })).toBe(400);
  expect(
    await retell.deliver(webhook, 'call_ended', call.call_id, {
      body: { event: WORDS.phrase, call: { call_id: WORDS['provider id'] } },
    }),
  ).toBe(200);
  await request(`/v1/conversations/${encodeURIComponent(WORDS.phrase)}`);
  await request(`/v1/conversations?customer_number=${encodeURIComponent(WORDS.number)}`);

  const settled = await eventually(async () => {
    const { data } = (await (await request('/v1/conversations')).json()) as {
      data: { id: string; record_state: string; workflow: { id: string } }[];
    };
    return data.find(({ record_state }) => record_state === 'settled');
  }, 40);
  await readEverything(settled.id);
  const temporalClient = new TemporalClient({ connection: await Connection.connect({ address: temporal.address }) });
  for await (const { workflowId, runId } of temporalClient.workflow.list()) {
    histories += historyToJSON(await temporalClient.workflow.getHandle(workflowId, runId).fetchHistory());
  }
  await temporalClient.connection.close();
  for (const url of [postgres.url('colloquy'), search.url('colloquy_search')]) {
    const owner = new Client({ connectionString: url });
    await owner.connect();
    await owner.query('vacuum analyze');
    await owner.query('checkpoint');
    await owner.end();
  }
}

/** Reading the canaries back proves that they were stored. */
async function readEverything(id: string): Promise<void> {
  const detail = await (await request(`/v1/conversations/${id}`)).text();
  for (const word of [
    WORDS.number,
    WORDS.summary,
    WORDS.metadata,
    WORDS.name,
    WORDS['provider id'],
    WORDS['transfer target'],
    WORDS['call sid'],
  ]) {
    expect(detail).toContain(word);
  }
  const transcript = await (await request(`/v1/conversations/${id}/transcript`)).text();
  expect(transcript).toContain(WORDS.phrase);
  expect(transcript).toContain(WORDS['tool argument']);
  const audio = Buffer.from(await (await request(`/v1/conversations/${id}/audio`)).arrayBuffer());
  // From the middle, where there is speech.
  canaries['audio'] = audio.subarray(Math.floor(audio.length / 3), Math.floor(audio.length / 3) + 48);
  expect(await (await request('/v1/conversations?view=full')).text()).toContain(WORDS.name);
  await request(`/v1/conversations/${id}/history`);
}

const found = (hits: Hit[]): string[] => hits.map(({ file, canary, form }) => `${canary} (${form}) in ${file}`);

describe('canaries that arrived in webhooks', () => {
  it('are in no file of Postgres, including WAL, keystore and search database', () => {
    const files = ['postgres', 'search'].flatMap((cluster) => filesBelow(join(folder, cluster)));
    expect(files.filter((file) => file.includes('pg_wal')).length).toBeGreaterThan(1);
    expect(found(scanFiles(files, canaries))).toEqual([]);
  });

  it('are in no log of any process', () => {
    const files = filesBelow(join(folder, 'logs'));
    expect(readFileSync(join(folder, 'logs', 'api.log'), 'utf8').length).toBeGreaterThan(0);
    expect(found(scanFiles(files, canaries))).toEqual([]);
  });

  it('are in no stored recording and nowhere else in the data folder', () => {
    const files = filesBelow(dataDir);
    expect(files.filter((file) => file.includes('recordings'))).toHaveLength(1);
    expect(found(scanFiles(files, canaries))).toEqual([]);
  });

  it('are neither in the database file of Temporal nor in any workflow history', () => {
    expect(histories.length).toBeGreaterThan(1000);
    expect(found(scanText('histories', histories, canaries))).toEqual([]);
    expect(found(scanFiles(filesBelow(join(folder, 'temporal')), canaries))).toEqual([]);
  });
});

describe('the scan', () => {
  it('finds a planted canary in a table, in the WAL, and in base64 in a file', async () => {
    const planted = { planted: Buffer.from('a planted canary sings 90210') };
    const owner = new Client({ connectionString: postgres.url('colloquy') });
    await owner.connect();
    await owner.query('create table planted (word text)');
    await owner.query('insert into planted values ($1)', [planted.planted.toString()]);
    await owner.query('checkpoint');
    await owner.end();
    const hits = scanFiles(filesBelow(join(folder, 'postgres')), planted).map(({ file }) => file);
    expect(hits.some((file) => file.includes('/base/'))).toBe(true);
    expect(hits.some((file) => file.includes('pg_wal'))).toBe(true);
    const encoded = join(folder, 'planted.txt');
    for (const before of ['', '1', '12']) {
      writeFileSync(encoded, Buffer.from(`${before}${planted.planted.toString()} and more`).toString('base64'));
      expect(scanFiles([encoded], planted)).toHaveLength(1);
    }
  });
});
