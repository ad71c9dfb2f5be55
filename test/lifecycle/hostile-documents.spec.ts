// Documents of a hostile provider, through the real webhook door and tables: an odd value affects only itself, neither the rest of
// its conversation nor other conversations.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startElevenLabsSimulator, type ElevenLabsSimulator } from '../../simulators/elevenlabs/index.js';
import { publicId } from '../../src/common/ids.js';
import { seedAccount, seedClient } from '../support/accounts.js';
import { eventually } from '../support/eventually.js';
import { install, type Installation } from '../support/installation.js';

let colloquy: Installation;
let elevenlabs: ElevenLabsSimulator;

beforeAll(async () => {
  colloquy = await install();
  elevenlabs = await startElevenLabsSimulator({ apiKey: 'xi_test', webhookSecret: 'wsec_test' });
  await colloquy.startWorker();
});
afterAll(async () => {
  await colloquy.close();
  await elevenlabs.close();
});

type Call = Record<string, unknown>;

const nested = (levels: number): unknown => JSON.parse('['.repeat(levels) + ']'.repeat(levels));

const ODD: [what: string, odd: Call][] = [
  ['NUL in a version', { agent_version: 'a\0b' }],
  ['half a surrogate in a name', { agent_name: '\ud800', agent_version: '\udc00' }],
  ['a fraction of a millisecond', { start_timestamp: 1_760_000_000_000.5, end_timestamp: 1_760_000_060_000.25 }],
  ['a start in the year 58,000', { start_timestamp: 1_760_000_000_000_000 }],
  ['a start before all years', { start_timestamp: -1e300, end_timestamp: 1e300, duration_ms: 1e300 }],
  ['latency beyond 32 bits', { latency: { e2e: { p50: 3e9, p95: 4e18 } } }],
  ['an absurd cost', { call_cost: { combined_cost: 1e30 } }],
  ['a negative cost', { call_cost: { combined_cost: -1e30 } }],
  ['JSON of 2,000 levels', { metadata: nested(2_000), retell_llm_dynamic_variables: { a: nested(2_000) } }],
  ['NUL in metadata', { metadata: { 'k\0': 'v\0', ['\ud800']: '\udfff' } }],
  ['140,000 turns', { transcript_object: Array.from({ length: 140_000 }, () => ({ role: 'agent', content: '' })) }],
];

describe('a document with an odd value', () => {
  it.each(ODD)('%s: the conversation is stored, and nothing is parked', async (what, odd) => {
    const { call_id: callId } = colloquy.retell.addCompleteCall({}, what);
    const { call, ...rest } = JSON.parse(colloquy.retell.webhookBody('call_analyzed', callId)) as { call: Call };
    expect(await colloquy.sendBody(JSON.stringify({ ...rest, call: { ...call, ...odd } }))).toBe('stored');
    await colloquy.call(callId, ({ status }) => status === 'completed');
    expect((await colloquy.sql.query("select 1 from inbox where state = 'parked' or attempts > 0")).rows).toEqual([]);
  });
});

describe('two documents of 413 KB that name 6,000 agents each', () => {
  it('create a bounded number of agents, and do not delay the conversation of another client', async () => {
    const account = {
      provider: 'elevenlabs',
      api_key: elevenlabs.apiKey,
      webhook_secret: elevenlabs.webhookSecret,
      base_url: elevenlabs.baseUrl,
    };
    const hostile = await colloquy.addAccount(account);
    const neighbour = await seedAccount(colloquy, await seedClient(colloquy), account);
    const send = async (accountId: string, body: string): Promise<void> => {
      const request = { rawBody: Buffer.from(body), headers: { 'elevenlabs-signature': elevenlabs.sign(body) } };
      expect((await colloquy.door.receive(publicId('providerAccount', accountId), request)).result).toBe('stored');
    };
    const transcript = (seed: number) =>
      Array.from({ length: 6_000 }, (_, n) => ({
        role: 'agent',
        message: 'hi',
        time_in_call_secs: n,
        agent_metadata: { agent_id: `agent_${seed}_${n}` },
      }));
    for (const seed of [1, 2]) {
      const data = {
        conversation_id: `hostile_${seed}`,
        agent_id: 'agent',
        status: 'done',
        transcript: transcript(seed),
      };
      const body = JSON.stringify({ type: 'post_call_transcription', event_timestamp: Date.now() / 1000, data });
      expect(body.length).toBeGreaterThan(413_000);
      await send(hostile, body);
    }
    const from = performance.now();
    const { conversation_id: id } = elevenlabs.addCompleteConversation({}, { seed: 'neighbour' });
    await send(neighbour, elevenlabs.webhookBody('post_call_transcription', id));
    const of = (accountId: string, table: string) =>
      colloquy.sql.query(`select 1 from ${table} where provider_account_id = $1`, [accountId]);
    await eventually(async () => (await of(neighbour, 'conversations')).rows.length === 1);
    expect(performance.now() - from).toBeLessThan(2_000);
    await eventually(async () => (await of(hostile, 'conversations')).rows.length === 2);
    expect((await of(hostile, 'agents')).rows.length).toBeLessThan(150);
    await eventually(async () => (await colloquy.sql.query('select from search_todo')).rows.length === 0);
    const { rows } = await colloquy.searchSql.query<{ most: number }>(
      'select max(n)::int as most from (select count(*) as n from blind_indexes group by conversation_id) as counted',
    );
    expect(rows[0]?.most).toBeGreaterThan(0);
    expect(rows[0]?.most).toBeLessThan(750);
  });
});
