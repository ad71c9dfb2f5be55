import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { EMPTY } from '../../src/reducer/conversation-state.js';
import { reduce } from '../../src/reducer/reducer.js';
import { project } from '../../src/reducer/project.js';
import type { Claims, Json } from '../../src/providers/provider-fact.js';
import { providerNamed } from '../../src/providers/providers.js';
import { storable, type Storable } from '../../src/providers/storable.js';
import { MAX_DEPTH } from '../../src/providers/storable-json.js';

type Document = { [key: string]: Json };

const fixture = (path: string): Document =>
  JSON.parse(readFileSync(new URL(`./fixtures/${path}`, import.meta.url), 'utf8')) as Document;

const RECORDS: [provider: string, document: Document][] = [
  ['retell', fixture('retell/call.json')],
  ['retell', fixture('retell/chat.json')],
  ['elevenlabs', fixture('elevenlabs/conversation.json')],
];

const read = (provider: string, document: Json): Storable =>
  storable((given) => providerNamed(provider).interpretRecord(given), document);

const INT4 = 2 ** 31;

/** What the tables, and what is derived from a record, require of claims. */
function expectStorable({ claims }: Storable): void {
  expect(JSON.stringify({ ...claims, audio: [] })).not.toMatch(/\\u0000|\\ud[89a-f]/i);
  const { fields, transcript, agent, transfers, providerTime } = claims;
  const times = [providerTime, fields.start_time, fields.end_time, ...transfers.map(({ at }) => at)];
  for (const at of times) if (at !== null && at !== undefined) expect(new Date(at).getTime()).toBe(at);
  const ints = [fields.latency?.p50_ms, fields.latency?.p95_ms];
  for (const ms of ints)
    if (ms !== null && ms !== undefined) expect(Number.isInteger(ms) && ms < INT4 && ms >= 0).toBe(true);
  const whole = [
    fields.duration_ms,
    fields.cost?.amount_micros,
    ...(transcript?.turns ?? []).map(({ start_ms: ms }) => ms),
  ];
  for (const value of whole) if (value !== null && value !== undefined) expect(Number.isSafeInteger(value)).toBe(true);
  if (agent?.version !== null && agent?.version !== undefined) expect(agent.version).toMatch(/^\S{1,128}$/);
  if (fields.language !== undefined) expect(fields.language).toMatch(/^[\w-]{1,44}$/);
}

/** The record from a document, with everything that is derived on the way. */
function recordOf(claims: Claims) {
  const fact = { source: 'record', event: 'record', receivedAt: 1_760_000_000_000, hash: 'a', claims } as const;
  const { state } = reduce(EMPTY, [fact]);
  const record = project(state, { deadlines: { transcript: 1, audio: 1, analysis: 1 }, defaultRegion: null });
  return JSON.parse(JSON.stringify({ state, record })) as unknown;
}

/** Every place in a document where a value can be put. */
function placesOf(value: Json, path: string[] = []): string[][] {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([name, inner]) => placesOf(inner, [...path, name]))];
}

function put(document: Document, path: string[], odd: Json): Document {
  const copy = structuredClone(document);
  let at: Document = copy;
  for (const name of path.slice(0, -1)) at = at[name] as Document;
  const last = path.at(-1);
  if (last !== undefined) at[last] = odd;
  return copy;
}

const deep = (levels: number): Json => JSON.parse(`${'['.repeat(levels)}${']'.repeat(levels)}`) as Json;

const ODD: Json[] = [
  ...['a\0b', '\ud800', '\udc00x', '', ' ', 'x'.repeat(100_000), '[['.repeat(20_000)],
  ...[0.5, -1, -0.5, 1e15, 1e18, 1e21, 1e300, -1e300, 2 ** 31, 2 ** 53, JSON.parse('1e999') as number],
  ...[null, true, [], {}, { '\0': '\ud800' }, { constructor: 1, ['__proto__']: 2 }, deep(3_000)],
];

const oddJson = fc.oneof(
  fc.constantFrom(...ODD),
  fc.jsonValue() as fc.Arbitrary<Json>,
  fc.string({ unit: 'binary' }),
  fc.double() as fc.Arbitrary<number>,
);

describe('a hostile document', () => {
  it.each(RECORDS)('of %s is storable, or fails alone, wherever an odd value is', (provider, document) => {
    const places = placesOf(document);
    const property = fc.property(fc.constantFrom(...places), oddJson, (path, odd) => {
      let claimed: Storable;
      try {
        claimed = read(provider, put(document, path, odd));
      } catch (error) {
        // Only a document that names no conversation, or is none.
        expect(error).toMatchObject({ name: expect.stringMatching(/^(ZodError|\$ZodError)$/) });
        return;
      }
      expectStorable(claimed);
      recordOf(claimed.claims);
    });
    fc.assert(property, { numRuns: 400 });
  });

  it.each(RECORDS)('of %s is unchanged where nothing is odd', (provider, document) => {
    const { claims, omitted } = read(provider, document);
    expect(omitted).toEqual([]);
    expect(claims).toEqual(providerNamed(provider).interpretRecord(document));
  });

  it('loses NUL and lone surrogates from its texts, with a note', () => {
    const { claims, omitted } = read('retell', { ...RECORDS[0]?.[1], agent_name: 'a\0b\ud800' });
    expect(claims.agent?.name).toBe('a\uFFFDb\uFFFD');
    expect(omitted).toEqual(['characters']);
  });

  it.each([
    ['start_timestamp', 1_760_000_000_000.4, { start_time: 1_760_000_000_000 }, []],
    ['start_timestamp', 1e300, {}, ['times']],
    ['start_timestamp', -5, {}, ['times']],
    ['call_cost', { combined_cost: 1e30 }, {}, ['numbers']],
    ['latency', { e2e: { p50: 3e9, p95: 900 } }, { latency: { p50_ms: null, p95_ms: 900 } }, ['times']],
  ])('%s as %j affects only itself', (name, value, fields, omitted) => {
    const plain = { call_id: 'call', call_status: 'ended' };
    const got = read('retell', { ...plain, [name]: value as Json });
    expect(got.claims.fields).toEqual({ provider_conversation_id: 'call', ...fields });
    expect(got.omitted).toEqual(omitted);
  });

  it.each([['no version \n'], ['x'.repeat(129)], ['+1 202 555 0142 called']])(
    '%j is not stored as a version',
    (version) => {
      expect(
        read('retell', { call_id: 'call', agent_id: 'a', agent_version: version }).claims.agent?.version,
      ).toBeNull();
    },
  );

  it('is cut where it is nested too deeply, and in texts that contain JSON', () => {
    const document = {
      call_id: 'call',
      metadata: deep(10_000),
      transcript_with_tool_calls: [
        { role: 'tool_call_invocation', arguments: '['.repeat(10_000) + ']'.repeat(10_000) },
      ],
    };
    const { claims, omitted } = read('retell', document);
    expect(omitted).toEqual(['depth']);
    const levels = JSON.stringify(claims.transcript?.turns[0]?.tool?.arguments).split('[').length - 1;
    expect(levels).toBe(MAX_DEPTH);
  });

  it('has at most 50,000 turns, and says that it is truncated', () => {
    const items = Array.from({ length: 140_000 }, () => ({
      role: 'agent',
      content: 'x',
      words: [{ start: 1, end: 2 }],
    }));
    const { claims, omitted } = read('retell', { call_id: 'call', call_status: 'ended', transcript_object: items });
    expect([claims.transcript?.turns.length, omitted]).toEqual([50_000, ['turns']]);
    expect(recordOf(claims)).toMatchObject({
      record: { turnCount: 50_000, completeness: { transcript: { state: 'present', reason: 'truncated' } } },
    });
  });

  it('names at most 64 agents and 200 transfers; further ones are dropped', () => {
    const transcript = Array.from({ length: 6_000 }, (_, n) => ({
      role: 'agent',
      message: 'hello',
      time_in_call_secs: n,
      agent_metadata: { agent_id: `agent_${n}` },
    }));
    const { claims, omitted } = read('elevenlabs', { conversation_id: 'conv', agent_id: 'agent_0', transcript });
    const named = new Set(claims.transcript?.turns.map(({ agent_id: id }) => id));
    expect([named.size, claims.transfers.length]).toEqual([65, 200]);
    expect(omitted.toSorted()).toEqual(['agents', 'transfers']);
  });

  it('is cut between characters', () => {
    const tool_results = [{ request_id: `${'x'.repeat(255)}😀`, result: { result_type: 'transfer_to_number_error' } }];
    const transcript = [{ role: 'agent', message: 'hello', time_in_call_secs: 1, tool_results }];
    const claimed = read('elevenlabs', { conversation_id: 'conv', agent_id: 'agent', transcript });
    expect(claimed.claims.transfers).toHaveLength(1);
    expectStorable(claimed);
  });

  it('has at most 256 metadata pairs, and keys of at most 256 characters', () => {
    const metadata = Object.fromEntries(
      Array.from({ length: 300 }, (_, n) => [n === 0 ? 'k'.repeat(300) : `k${n}`, n]),
    );
    const { claims, omitted } = read('retell', { call_id: 'call', metadata });
    expect(Object.keys(claims.fields.metadata ?? {})).toHaveLength(256);
    expect(omitted).toEqual(['metadata']);
  });
});
