// Which conversations a list contains, and in which order: exact rows for every filter, sort and page.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newUuid, publicId } from '../../src/common/ids.js';
import { applyWaiting } from '../support/worker-parts.js';
import { startHttpApp, type HttpApp } from './http-app.js';
import { sendElevenLabs, sendRetell } from './webhooks.js';

let http: HttpApp;
/** Public ids of what filters refer to, by the names in the table below. */
const ids: Record<string, string> = {};
/** Our id of a conversation → the letter that is its id at the provider. */
const letters = new Map<string, string>();

const T0 = Date.parse('2026-05-04T10:00:00.000Z');
const at = (minute: number): string => new Date(T0 + minute * 60_000).toISOString();

const ENDED = { call_status: 'ended', disconnection_reason: 'user_hangup' };
const NOT_CONNECTED = { call_status: 'not_connected', disconnection_reason: 'dial_busy' };
/** Letter, account, agent, minute of the start, event, and further fields. Three begin at the same time. */
const CALLS: [letter: string, account: string, agent: string, minute: number, event: string, more: object][] = [
  ['a', 'first', 'agent_1', 0, 'call_ended', ENDED],
  ['b', 'first', 'agent_2', 1, 'call_ended', NOT_CONNECTED],
  ['c', 'second', 'agent_1', 2, 'call_started', { call_status: 'ongoing' }],
  ['d', 'second', 'agent_2', 3, 'transfer_started', { call_status: 'ongoing', transfer_destination: '+12025550177' }],
  ['e', 'foreign', 'agent_1', 3, 'call_ended', ENDED],
  ['f', 'foreign', 'agent_1', 3, 'call_started', { call_status: 'registered' }],
];

async function receive([letter, account, agent, minute, event, more]: (typeof CALLS)[number]): Promise<void> {
  const call = { call_id: letter, call_type: 'phone_call', agent_id: agent, start_timestamp: T0 + minute * 60_000 };
  const to = { id: ids[account] ?? '', secret: `key_${account}` };
  expect((await sendRetell(http, to, event, { ...call, ...more })).status).toBe(200);
  await applyWaiting(http.workerConfig);
}

interface Row {
  id: string;
  agent_id: string;
  start_time: string;
  provider_conversation_id: string;
}

const rowsOf = async (query: string): Promise<Row[]> => {
  const { status, body } = await http.call('GET', `/v1/conversations${query}`, { key: http.readKey });
  expect([query, status]).toEqual([query, 200]);
  return body['data'] as Row[];
};
/** Letters of the rows, in order. */
const lettersOf = (rows: { id: string }[]): string => rows.map(({ id }) => letters.get(id) ?? '?').join('');
/** `{name}` in a query stands for the id of that name. */
const listed = async (query: string): Promise<string> =>
  lettersOf(await rowsOf(query.replaceAll(/\{(\w+)\}/g, (_, name: string) => ids[name] ?? name)));
const sorted = (text: string): string => text.split('').sort().join('');

beforeAll(async () => {
  http = await startHttpApp();
  const make = async (name: string, url: string, body: object): Promise<void> => {
    ids[name] = String((await http.call('POST', url, { body })).body['id']);
  };
  await make('mine', '/v1/clients', { name: 'Mine' });
  await make('theirs', '/v1/clients', { name: 'Theirs' });
  for (const [name, client] of [
    ...[
      ['first', 'mine'],
      ['second', 'mine'],
    ],
    ['foreign', 'theirs'],
  ] as const) {
    const body = { provider: 'retell', name, client_id: ids[client ?? ''], api_key: `key_${name}`, backfill_days: 0 };
    await make(name ?? '', '/v1/provider-accounts', body);
  }
  const other = {
    provider: 'elevenlabs',
    name: 'Other',
    client_id: ids['mine'],
    api_key: 'xi',
    webhook_secret: 'wsec_1',
  };
  await make('other', '/v1/provider-accounts', { ...other, backfill_days: 0 });
  for (const call of CALLS) await receive(call);
  const metadata = { start_time_unix_secs: T0 / 1000 + 240, call_duration_secs: 9 };
  const done = { conversation_id: 'g', agent_id: 'agent_1', status: 'done', transcript: [], metadata };
  expect((await sendElevenLabs(http, { id: ids['other'] ?? '', secret: 'wsec_1' }, done)).status).toBe(200);
  await applyWaiting(http.workerConfig);
  for (const row of await rowsOf('?view=full')) {
    letters.set(row.id, row.provider_conversation_id);
    ids[`agent_of_${row.provider_conversation_id}`] = row.agent_id;
  }
  ids['nobody'] = publicId('client', newUuid());
  ids['no_agent'] = publicId('agent', newUuid());
});
afterAll(() => http.stop());

describe('a filter', () => {
  it.each([
    ['client_id={mine}', 'abcdg'],
    ['client_id={theirs}', 'ef'],
    ['client_id={nobody}', ''],
    ['agent_id={agent_of_a}', 'a'],
    ['agent_id={agent_of_c}', 'c'],
    ['agent_id={agent_of_e}', 'ef'],
    ['agent_id={no_agent}', ''],
    ['provider=retell', 'abcdef'],
    ['provider=elevenlabs', 'g'],
    ['provider_account_id={first}', 'ab'],
    ['provider_account_id={second}', 'cd'],
    ['provider_account_id={other}', 'g'],
    ['status=ringing', 'f'],
    ['status=active', 'c'],
    ['status=transferring', 'd'],
    ['status=completed', 'aeg'],
    ['status=failed', 'b'],
    [`start_time_from=${at(3)}`, 'defg'],
    [`start_time_to=${at(3)}`, 'abc'],
    [`start_time_from=${at(1)}&start_time_to=${at(3)}`, 'bc'],
    ['start_time_from=2026-05-04T12:03:00%2B02:00', 'defg'],
  ])('shows what matches and nothing else: %s', async (query, expected) => {
    expect(sorted(await listed(`?${query}`))).toBe(expected);
  });

  it.each([
    ['client_id={mine}&client_id={theirs}', 'abcdefg'],
    ['agent_id={agent_of_a}&agent_id={agent_of_e}', 'aef'],
    ['provider=elevenlabs&provider=retell', 'abcdefg'],
    ['provider_account_id={first}&provider_account_id={other}', 'abg'],
    ['status=active&status=failed', 'bc'],
  ])('means OR if it is repeated: %s', async (query, expected) => {
    expect(sorted(await listed(`?${query}`))).toBe(expected);
  });

  it.each([
    ['client_id={mine}&status=completed', 'ag'],
    ['client_id={theirs}&provider_account_id={first}', ''],
    ['provider=retell&status=completed&status=failed&client_id={mine}', 'ab'],
    [`agent_id={agent_of_e}&status=ringing&start_time_from=${at(3)}`, 'f'],
  ])('means AND beside another one: %s', async (query, expected) => {
    expect(sorted(await listed(`?${query}`))).toBe(expected);
  });

  it('is what include=total counts', async () => {
    const { body } = await http.call('GET', '/v1/conversations?include=total&limit=1&status=completed', {
      key: http.readKey,
    });
    expect(body['total']).toEqual({ value: 3, exact: true });
  });

  it.each([
    ['', 'cdf'],
    ['?client_id={mine}', 'cd'],
    ['?client_id={theirs}', 'f'],
    ['?agent_id={agent_of_d}', 'd'],
    ['?provider=retell', 'cdf'],
    ['?provider=elevenlabs', ''],
    ['?provider_account_id={second}', 'cd'],
    ['?status=ringing&status=active', 'cf'],
    ['?status=completed', ''],
    ['?client_id={mine}&status=active', 'c'],
  ])('narrows live conversations: /active%s', async (query, expected) => {
    expect(sorted(await listed(`/active${query}`))).toBe(expected);
  });
});

/** By start, ties by id. */
const oldestFirst = (rows: Row[]): string =>
  lettersOf(rows.toSorted((a, b) => (`${a.start_time} ${a.id}` < `${b.start_time} ${b.id}` ? -1 : 1)));
const reversed = (text: string): string => text.split('').reverse().join('');

describe('the order', () => {
  it('is by start, ties by id: newest first, or oldest first when asked', async () => {
    const expected = oldestFirst(await rowsOf(''));
    expect(sorted(expected)).toBe('abcdefg');
    expect([expected.slice(0, 3), expected.slice(-1)]).toEqual(['abc', 'g']);
    expect(await listed('?sort=start_time')).toBe(expected);
    expect(await listed('?sort=-start_time')).toBe(reversed(expected));
    expect(await listed('')).toBe(reversed(expected));
    expect(await listed('/active')).toBe(reversed(expected).replaceAll(/[^cdf]/g, ''));
  });
});

describe('pages', () => {
  const page = (query: string) => http.call('GET', `/v1/conversations?${query}`, { key: http.readKey });

  it.each(['start_time', '-start_time'])(
    'by %s neither repeat nor skip a row while others arrive before and after',
    async (sort) => {
      const before = await listed(`?sort=${sort}`);
      const seen: Row[] = [];
      let cursor: string | null = '';
      for (let round = 0; cursor !== null; round += 1) {
        const { body } = await page(`sort=${sort}&limit=2${cursor && `&cursor=${cursor}`}`);
        seen.push(...(body['data'] as Row[]));
        expect(body['has_more']).toBe(body['next_cursor'] !== null);
        cursor = body['next_cursor'] as string | null;
        for (const minute of [-1, 3, 5]) {
          if (round < 2)
            await receive([`late ${sort} ${round} ${minute}`, 'first', 'agent_1', minute, 'call_ended', ENDED]);
        }
      }
      expect(new Set(seen.map(({ id }) => id)).size).toBe(seen.length);
      expect(lettersOf(seen).replaceAll('?', '')).toBe(before.replaceAll('?', ''));
    },
  );

  it('belong to their query: a cursor of another filter, sort, view or list is refused', async () => {
    const { body } = await page('limit=2&status=completed');
    const cursor = String(body['next_cursor']);
    const [id] = letters.keys();
    const others = [
      `?limit=2&cursor=${cursor}`,
      `?limit=2&status=failed&cursor=${cursor}`,
      `?limit=2&status=completed&client_id=${ids['mine']}&cursor=${cursor}`,
      `?limit=2&status=completed&sort=start_time&cursor=${cursor}`,
      `?limit=2&status=completed&view=full&cursor=${cursor}`,
      `/${id}/history?cursor=${cursor}`,
    ];
    for (const other of others) {
      const answer = await http.call('GET', `/v1/conversations${other}`, { key: http.readKey });
      expect([other, answer.status, answer.body['code']]).toEqual([other, 400, 'cursor_mismatch']);
    }
    expect((await page(`limit=1&status=completed&cursor=${cursor}`)).status).toBe(200);
  });

  it('are signed: a cursor with a flipped bit, a cut or an invented one is refused', async () => {
    const { body } = await page('limit=2');
    const bytes = Buffer.from(String(body['next_cursor']), 'base64url');
    const forged = [...bytes.keys()].map((place) => {
      const copy = Buffer.from(bytes);
      copy[place] = (copy[place] ?? 0) ^ 1;
      return copy.toString('base64url');
    });
    for (const cursor of [...forged, bytes.subarray(0, -1).toString('base64url'), 'x', '%20', 'MQ==']) {
      const answer = await page(`limit=2&cursor=${cursor}`);
      expect([cursor, answer.status, answer.body['code']]).toEqual([cursor, 400, 'invalid_cursor']);
    }
  });
});

describe('GET /v1/conversations/active', () => {
  const active = async () => (await http.call('GET', '/v1/conversations/active', { key: http.readKey })).body;

  it('lists live conversations with their duration so far', async () => {
    const { as_of, data } = await active();
    expect((data as Row[]).map(({ start_time }) => start_time)).toEqual([at(3), at(3), at(2)]);
    for (const row of data as (Row & { elapsed_ms: number })[]) {
      expect(row).toMatchObject({ holder: 'agent', capabilities: [], last_turn_at: null });
      expect(row.elapsed_ms).toBe(Date.parse(String(as_of)) - Date.parse(row.start_time));
    }
  });

  it('names the holder of each', async () => {
    const [row] = await http.sql<{ id: string }>("select id from conversations where status = 'active' limit 1");
    const held = async (holder: string) => {
      await http.sql('update conversations set holder = $2 where id = $1', [row?.id, holder]);
      const rows = (await active())['data'] as (Row & { holder: string })[];
      return rows.find(({ id }) => id === publicId('conversation', row?.id ?? ''))?.holder;
    };
    expect([await held('phone'), await held('agent')]).toEqual(['phone', 'agent']);
  });

  it('shows at most the latest 1,000, and says if there are more', async () => {
    expect(await active()).toMatchObject({ has_more: false, data: { length: 3 } });
    await addLive(997);
    expect(await active()).toMatchObject({ has_more: false, data: { length: 1000 } });
    await addLive(1);
    const { has_more, data } = await active();
    expect([has_more, (data as Row[]).length]).toEqual([true, 1000]);
    // The oldest one drops out.
    expect(sorted(lettersOf(data as Row[]).replaceAll('?', ''))).toBe('df');
  });
});

/** Adds this many conversations like f, with later starts. */
const addLive = (count: number): Promise<object[]> =>
  http.sql(
    `with like_f as (
       select id, client_id, provider_account_id from conversations where status = 'ringing' order by start_time limit 1),
     identities as (
       insert into conversation_identities (id, client_id, provider_account_id, identity_hash, suppression_hash)
       select gen_random_uuid(), client_id, provider_account_id, uuid_send(gen_random_uuid()), uuid_send(gen_random_uuid())
       from like_f, generate_series(1, $1) returning id)
     insert into conversations
     select (jsonb_populate_record(c, jsonb_build_object('id', i.id, 'start_time', now()))).*
     from conversations c join like_f on like_f.id = c.id, identities i`,
    [count],
  );
