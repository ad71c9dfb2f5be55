// The gateway's rules, on a clock that passes by sleeping and with a provider that answers as the test says.
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { Log } from '../../common/log.js';
import { parseEgressAllow } from '../../config/egress-allow.js';
import { Egress } from '../../egress/egress.js';
import { DEFAULT_DEADLINES, type ProviderAccount } from '../provider-accounts.js';
import { AccountGate } from './account-gate.js';
import { ProviderGateway } from './gateway.js';
import { INSIST, NOW_OR_NOT, NotWelcome, ONCE, TooManyUnderWay } from './persistence.js';
import { GOOD_STANDING, type Standing, type Standings } from './standings.js';

let server: Server;
let baseUrl: string;
/** What the next requests are answered; after that 200. `null` is left unanswered. */
let answers: ({ status: number; retryAfter?: string } | null)[] = [];
let asked: string[] = [];
/** What the list has. */
let listed: object[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push(request.url ?? '');
    const answer = answers.shift();
    if (answer === null) return;
    const { status, retryAfter } = answer ?? { status: 200 };
    request.resume();
    const headers = {
      'content-type': 'application/json',
      ...(retryAfter !== undefined && { 'retry-after': retryAfter }),
    };
    response.writeHead(status, headers).end(JSON.stringify({ items: listed, has_more: false }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
beforeEach(() => {
  [answers, asked, listed] = [[], [], []];
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

/** Standings of several gateways, as Postgres holds them. */
class SharedStandings implements Standings {
  standing: Standing = GOOD_STANDING;

  constructor(private readonly now: () => number) {}

  read = async () => this.standing;
  keepCircuit: Standings['keepCircuit'] = async (_, circuit) => {
    this.standing = { ...this.standing, circuit };
  };
  claimTrial: Standings['claimTrial'] = async () => {
    const [{ circuit }, now] = [this.standing, this.now()];
    if (circuit.state !== 'open' || circuit.retryAt > now) return false;
    this.standing = { ...this.standing, circuit: { ...circuit, retryAt: now + 30_000 } };
    return true;
  };
  keepAway: Standings['keepAway'] = async (_, away) => {
    this.standing = { ...this.standing, away };
  };
}

function world(chance = 1) {
  const clock = {
    time: 1_760_000_000_000,
    now: () => clock.time,
    sleep: async (ms: number) => {
      clock.time += ms;
    },
  };
  const standings = new SharedStandings(clock.now);
  const random = (): number => chance;
  const egress = new Egress({ allow: parseEgressAllow(new URL(baseUrl).host) });
  let taken = 0;
  const turns = {
    turn: async () => {
      taken += 1;
    },
  };
  const open = (): ProviderGateway => {
    const gate = new AccountGate({ standings, clock, random, log: new Log('silent') });
    return new ProviderGateway({ gate, turns, clock, random, egress });
  };
  return { standings, clock, turns: () => taken, gateway: open(), other: open() };
}

const account: ProviderAccount = {
  id: '00000000-0000-7000-8000-000000000001',
  clientId: '00000000-0000-7000-8000-000000000002',
  get credentials() {
    return { apiKey: 'key_test', webhookSecret: null, baseUrl };
  },
  provider: 'retell',
  isDeleted: false,
  deadlines: DEFAULT_DEADLINES,
  agentClients: new Map(),
};
const call = { providerKind: 'call', providerId: 'call_1' };
const failed = (status = 503) => ({ status });
const tooMany = (seconds: number) => ({ status: 429, retryAfter: String(seconds) });
const caught = (asking: Promise<unknown>): Promise<unknown> => asking.catch((error: unknown) => error);

describe('a provider that wants us to stay away', () => {
  it('is asked again when its time is over', async () => {
    const { gateway, clock } = world();
    const from = clock.time;
    answers = [tooMany(3)];
    expect(await gateway.fetchRecord(account, call, { worth: INSIST })).toMatchObject({ found: true });
    expect(clock.time - from).toBeGreaterThanOrEqual(3_000);
  });

  it.each(['0', 'Thu, 01 Jan 1970 00:00:00 GMT'])('has had enough also when it says %j', async (retryAfter) => {
    const { gateway, clock } = world();
    const from = clock.time;
    answers = [429, 429, 429].map((status) => ({ status, retryAfter }));
    expect(await gateway.fetchRecord(account, call, { worth: INSIST })).toMatchObject({ found: true });
    expect(clock.time - from).toBe(1_000 + 2_000 + 4_000);
  });

  it('is not waited for longer than it is worth, and by nobody until the time is over, in no process', async () => {
    const { gateway, other, clock } = world();
    const from = clock.time;
    answers = [tooMany(600)];
    const refused = { status: 429, retryAfterMs: 600_000 };
    expect(await caught(gateway.fetchRecord(account, call, { worth: INSIST }))).toMatchObject(refused);
    for (const one of [gateway, other]) {
      const error = await caught(one.list(account, { ...call, from: null, to: null, live: true, cursor: null }));
      expect(error).toBeInstanceOf(NotWelcome);
      expect(error).toMatchObject(refused);
    }
    expect([asked.length, clock.time]).toEqual([1, from]);
    clock.time += 590_000;
    expect(await other.fetchRecord(account, call, { worth: INSIST })).toMatchObject({ found: true });
    expect(clock.time - from).toBeGreaterThanOrEqual(600_000);
  });

  it('is asked once or not at all for what cannot wait', async () => {
    const { gateway, clock } = world();
    const from = clock.time;
    answers = [failed(503), tooMany(2)];
    expect(await caught(gateway.fetchRecord(account, call, { worth: NOW_OR_NOT }))).toMatchObject({ status: 503 });
    expect(await caught(gateway.fetchRecord(account, call, { worth: NOW_OR_NOT }))).toMatchObject({ status: 429 });
    expect(await caught(gateway.fetchRecord(account, call, { worth: NOW_OR_NOT }))).toBeInstanceOf(NotWelcome);
    expect([asked.length, clock.time]).toEqual([2, from]);
  });
});

describe('a provider that fails', () => {
  it('is asked again, later each time, until it answers', async () => {
    const { gateway, clock } = world();
    const from = clock.time;
    answers = [failed(), failed(), failed(), failed()];
    expect(await gateway.fetchRecord(account, call, { worth: INSIST })).toMatchObject({ found: true });
    expect(clock.time - from).toBe(1_000 + 2_000 + 4_000 + 8_000);
  });

  it('is left alone after five outages in a row; one trial at a time of all processes asks whether it is back', async () => {
    const { gateway, other, clock, standings } = world();
    answers = Array.from({ length: 6 }, () => failed());
    for (let outage = 0; outage < 5; outage += 1) await caught(gateway.fetchRecord(account, call));
    expect(standings.standing.circuit.state).toBe('open');
    for (const one of [gateway, other]) {
      const error = await caught(one.fetchRecord(account, call, { worth: NOW_OR_NOT }));
      expect(error).toBeInstanceOf(NotWelcome);
      expect(error).toMatchObject({ status: 503, problem: 'provider_answered_503' });
    }
    expect(asked).toHaveLength(5);
    // The trial fails; the next is twice as far.
    clock.time += 2_000;
    expect(await caught(other.fetchRecord(account, call, { worth: NOW_OR_NOT }))).toMatchObject({ status: 503 });
    clock.time += 3_999;
    expect(await caught(gateway.fetchRecord(account, call, { worth: NOW_OR_NOT }))).toBeInstanceOf(NotWelcome);
    clock.time += 1;
    const both = await Promise.all([1, 2].map(() => caught(gateway.fetchRecord(account, call, { worth: NOW_OR_NOT }))));
    expect(both.filter((one) => one instanceof NotWelcome)).toHaveLength(1);
    expect(asked).toHaveLength(7);
    expect(standings.standing.circuit.state).toBe('closed');
    clock.time += 1_000;
    expect(await other.fetchRecord(account, call)).toMatchObject({ found: true });
  });

  it('is not an outage when it answers 404 or 422, however often', async () => {
    const { gateway, standings } = world();
    answers = Array.from({ length: 12 }, (_, index) => failed(index % 2 === 0 ? 404 : 422));
    for (let answer = 0; answer < 12; answer += 1) await caught(gateway.fetchRecord(account, call));
    expect(standings.standing.circuit.state).toBe('closed');
  });

  it('says nothing of the account when it is a host of recordings that fails', async () => {
    const { gateway, standings } = world();
    answers = Array.from({ length: 8 }, () => failed());
    const { signal } = new AbortController();
    for (let outage = 0; outage < 8; outage += 1)
      await caught(gateway.download(account, `${baseUrl}/recording.wav`, { signal }, () => Promise.resolve()));
    expect([asked.length, standings.standing.circuit.state]).toEqual([8, 'closed']);
  });
});

describe('a host of recordings that wants us to stay away', () => {
  it('is left alone, and keeps no question to the account waiting', async () => {
    const { gateway, clock } = world();
    const { signal } = new AbortController();
    const download = () =>
      caught(gateway.download(account, `${baseUrl}/recording.wav`, { signal }, () => Promise.resolve()));
    answers = [tooMany(600)];
    expect(await download()).toMatchObject({ status: 429, retryAfterMs: 600_000 });
    expect(await gateway.fetchRecord(account, call, { worth: NOW_OR_NOT })).toMatchObject({ found: true });
    clock.time += 590_000;
    expect(await download()).toBeInstanceOf(NotWelcome);
    expect(asked).toHaveLength(2);
  });
});

describe('requests of one account that are under way', () => {
  it('are so many at most; slow downloads keep no question waiting', async () => {
    const { gateway, turns } = world(0.5);
    const stop = new AbortController();
    answers = Array.from({ length: 16 }, () => null);
    const download = () =>
      caught(
        gateway.download(account, `${baseUrl}/slow.wav`, { signal: stop.signal, worth: NOW_OR_NOT }, () =>
          Promise.resolve(),
        ),
      );
    const slow = Array.from({ length: 16 }, download);
    const further = await download();
    expect(further).toBeInstanceOf(TooManyUnderWay);
    expect(further).toMatchObject({ retryable: true, retryAfterMs: 3_000, problem: 'too_many_requests_under_way' });
    expect(await gateway.fetchRecord(account, call)).toMatchObject({ found: true });
    // Who comes later is told to come later.
    expect(await download()).toMatchObject({ retryAfterMs: 3_050 });
    // A client with many accounts leaves places to others.
    const of = (one: Partial<ProviderAccount>) => () =>
      caught(
        gateway.download(
          { ...account, ...one },
          `${baseUrl}/slow.wav`,
          { signal: stop.signal, worth: NOW_OR_NOT },
          () => Promise.resolve(),
        ),
      );
    answers = Array.from({ length: 5 }, () => null);
    const second = Array.from({ length: 4 }, of({ id: 'second' }));
    expect(await of({ id: 'second' })()).toBeInstanceOf(TooManyUnderWay);
    const other = of({ id: 'other', clientId: 'other' })();
    await vi.waitFor(() => expect(asked).toHaveLength(22));
    stop.abort();
    await Promise.all([...slow, ...second, other]);
    expect(asked.filter((path) => path === '/slow.wav')).toHaveLength(16 + 4 + 1);
    expect(turns()).toBe(asked.length);
  });
});

describe('the witness', () => {
  it('is the account itself: null when it answers, else what is in the way', async () => {
    const { gateway, clock } = world();
    answers = [failed(401), failed(404), failed(200)];
    expect(await gateway.witness(account, 'call')).toBe('provider_answered_401');
    expect(await gateway.witness(account, 'call')).toBe('provider_unreachable');
    expect(await gateway.witness(account, 'call')).toBeNull();
    expect(await gateway.witness(account, 'call')).toBeNull();
    expect(asked).toHaveLength(3);
    clock.time += 1_001;
    answers = [failed(503)];
    expect(await gateway.witness(account, 'call', { worth: ONCE })).toBe('provider_answered_503');
  });
});

describe('a list', () => {
  it('is given without what nobody could ask for', async () => {
    const { gateway } = world();
    listed = ['call_1', '\ud800', 'a\0b', 'x'.repeat(2_000), 'call_2'].map((id) => ({ call_id: id }));
    const { items } = await gateway.list(account, { ...call, from: null, to: null, live: true, cursor: null });
    expect(items.map(({ providerId }) => providerId)).toEqual(['call_1', 'call_2']);
  });
});
