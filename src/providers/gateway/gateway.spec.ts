// The gateway's rules, with a clock that advances by sleeping and a provider that answers as the test says.
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
import { PATIENT, NO_WAIT, AccountOnHold, PATIENT_ONCE, NoFreeSlot } from './retry-policy.js';
import { HEALTHY, type AccountState, type AccountStates } from './account-states.js';

let server: Server;
let baseUrl: string;
/** Responses to the next requests; after that 200. `null` leaves a request unanswered. */
let answers: ({ status: number; retryAfter?: string } | null)[] = [];
let asked: string[] = [];
/** Content of the list. */
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

/** The states that several gateways share, instead of those in Postgres. */
class SharedAccountStates implements AccountStates {
  state: AccountState = HEALTHY;

  constructor(private readonly now: () => number) {}

  read = async () => this.state;
  keepCircuit: AccountStates['keepCircuit'] = async (_, circuit) => {
    this.state = { ...this.state, circuit };
  };
  claimTrial: AccountStates['claimTrial'] = async () => {
    const [{ circuit }, now] = [this.state, this.now()];
    if (circuit.state !== 'open' || circuit.retryAt > now) return false;
    this.state = { ...this.state, circuit: { ...circuit, retryAt: now + 30_000 } };
    return true;
  };
  keepAway: AccountStates['keepAway'] = async (_, away) => {
    this.state = { ...this.state, away };
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
  const states = new SharedAccountStates(clock.now);
  const random = (): number => chance;
  const egress = new Egress({ allow: parseEgressAllow(new URL(baseUrl).host) });
  let taken = 0;
  const budget = {
    take: async () => {
      taken += 1;
    },
  };
  const open = (): ProviderGateway => {
    const gate = new AccountGate({ states, clock, random, log: new Log('silent') });
    return new ProviderGateway({ gate, budget, clock, random, egress });
  };
  return { states, clock, taken: () => taken, gateway: open(), other: open() };
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

describe('a provider that sends Retry-After', () => {
  it('is asked again when the time has passed', async () => {
    const { gateway, clock } = world();
    const from = clock.time;
    answers = [tooMany(3)];
    expect(await gateway.fetchRecord(account, call, { retry: PATIENT })).toMatchObject({ found: true });
    expect(clock.time - from).toBeGreaterThanOrEqual(3_000);
  });

  it.each(['0', 'Thu, 01 Jan 1970 00:00:00 GMT'])(
    'is held back after a 429 even with Retry-After %j',
    async (retryAfter) => {
      const { gateway, clock } = world();
      const from = clock.time;
      answers = [429, 429, 429].map((status) => ({ status, retryAfter }));
      expect(await gateway.fetchRecord(account, call, { retry: PATIENT })).toMatchObject({ found: true });
      expect(clock.time - from).toBe(1_000 + 2_000 + 4_000);
    },
  );

  it('is not waited for longer than the policy allows, and gets no request from any process before the time', async () => {
    const { gateway, other, clock } = world();
    const from = clock.time;
    answers = [tooMany(600)];
    const refused = { status: 429, retryAfterMs: 600_000 };
    expect(await caught(gateway.fetchRecord(account, call, { retry: PATIENT }))).toMatchObject(refused);
    for (const one of [gateway, other]) {
      const error = await caught(one.list(account, { ...call, from: null, to: null, live: true, cursor: null }));
      expect(error).toBeInstanceOf(AccountOnHold);
      expect(error).toMatchObject(refused);
    }
    expect([asked.length, clock.time]).toEqual([1, from]);
    clock.time += 590_000;
    expect(await other.fetchRecord(account, call, { retry: PATIENT })).toMatchObject({ found: true });
    expect(clock.time - from).toBeGreaterThanOrEqual(600_000);
  });

  it('gets one request, or none, under a policy that cannot wait', async () => {
    const { gateway, clock } = world();
    const from = clock.time;
    answers = [failed(503), tooMany(2)];
    expect(await caught(gateway.fetchRecord(account, call, { retry: NO_WAIT }))).toMatchObject({ status: 503 });
    expect(await caught(gateway.fetchRecord(account, call, { retry: NO_WAIT }))).toMatchObject({ status: 429 });
    expect(await caught(gateway.fetchRecord(account, call, { retry: NO_WAIT }))).toBeInstanceOf(AccountOnHold);
    expect([asked.length, clock.time]).toEqual([2, from]);
  });
});

describe('a provider that fails', () => {
  it('is asked again with growing pauses until it answers', async () => {
    const { gateway, clock } = world();
    const from = clock.time;
    answers = [failed(), failed(), failed(), failed()];
    expect(await gateway.fetchRecord(account, call, { retry: PATIENT })).toMatchObject({ found: true });
    expect(clock.time - from).toBe(1_000 + 2_000 + 4_000 + 8_000);
  });

  it('gets no request after five consecutive outages, except one trial at a time over all processes', async () => {
    const { gateway, other, clock, states } = world();
    answers = Array.from({ length: 6 }, () => failed());
    for (let outage = 0; outage < 5; outage += 1) await caught(gateway.fetchRecord(account, call));
    expect(states.state.circuit.state).toBe('open');
    for (const one of [gateway, other]) {
      const error = await caught(one.fetchRecord(account, call, { retry: NO_WAIT }));
      expect(error).toBeInstanceOf(AccountOnHold);
      expect(error).toMatchObject({ status: 503, problem: 'provider_answered_503' });
    }
    expect(asked).toHaveLength(5);
    // The trial fails; the next one comes after twice the pause.
    clock.time += 2_000;
    expect(await caught(other.fetchRecord(account, call, { retry: NO_WAIT }))).toMatchObject({ status: 503 });
    clock.time += 3_999;
    expect(await caught(gateway.fetchRecord(account, call, { retry: NO_WAIT }))).toBeInstanceOf(AccountOnHold);
    clock.time += 1;
    const both = await Promise.all([1, 2].map(() => caught(gateway.fetchRecord(account, call, { retry: NO_WAIT }))));
    expect(both.filter((one) => one instanceof AccountOnHold)).toHaveLength(1);
    expect(asked).toHaveLength(7);
    expect(states.state.circuit.state).toBe('closed');
    clock.time += 1_000;
    expect(await other.fetchRecord(account, call)).toMatchObject({ found: true });
  });

  it('has no outage if it answers 404 or 422, however often', async () => {
    const { gateway, states } = world();
    answers = Array.from({ length: 12 }, (_, index) => failed(index % 2 === 0 ? 404 : 422));
    for (let answer = 0; answer < 12; answer += 1) await caught(gateway.fetchRecord(account, call));
    expect(states.state.circuit.state).toBe('closed');
  });

  it('has no outage if a host of recordings fails', async () => {
    const { gateway, states } = world();
    answers = Array.from({ length: 8 }, () => failed());
    const { signal } = new AbortController();
    for (let outage = 0; outage < 8; outage += 1)
      await caught(gateway.download(account, `${baseUrl}/recording.wav`, { signal }, () => Promise.resolve()));
    expect([asked.length, states.state.circuit.state]).toEqual([8, 'closed']);
  });
});

describe('a host of recordings that sends Retry-After', () => {
  it('is held back, and does not delay queries to the account', async () => {
    const { gateway, clock } = world();
    const { signal } = new AbortController();
    const download = () =>
      caught(gateway.download(account, `${baseUrl}/recording.wav`, { signal }, () => Promise.resolve()));
    answers = [tooMany(600)];
    expect(await download()).toMatchObject({ status: 429, retryAfterMs: 600_000 });
    expect(await gateway.fetchRecord(account, call, { retry: NO_WAIT })).toMatchObject({ found: true });
    clock.time += 590_000;
    expect(await download()).toBeInstanceOf(AccountOnHold);
    expect(asked).toHaveLength(2);
  });
});

describe('concurrent requests of one account', () => {
  it('are limited; slow downloads delay no query', async () => {
    const { gateway, taken } = world(0.5);
    const stop = new AbortController();
    answers = Array.from({ length: 16 }, () => null);
    const download = () =>
      caught(
        gateway.download(account, `${baseUrl}/slow.wav`, { signal: stop.signal, retry: NO_WAIT }, () =>
          Promise.resolve(),
        ),
      );
    const slow = Array.from({ length: 16 }, download);
    const further = await download();
    expect(further).toBeInstanceOf(NoFreeSlot);
    expect(further).toMatchObject({ retryable: true, retryAfterMs: 3_000, problem: 'too_many_requests_under_way' });
    expect(await gateway.fetchRecord(account, call)).toMatchObject({ found: true });
    // Later requests are told to come back later.
    expect(await download()).toMatchObject({ retryAfterMs: 3_050 });
    // A client with many accounts leaves slots to others.
    const of = (one: Partial<ProviderAccount>) => () =>
      caught(
        gateway.download({ ...account, ...one }, `${baseUrl}/slow.wav`, { signal: stop.signal, retry: NO_WAIT }, () =>
          Promise.resolve(),
        ),
      );
    answers = Array.from({ length: 5 }, () => null);
    const second = Array.from({ length: 4 }, of({ id: 'second' }));
    expect(await of({ id: 'second' })()).toBeInstanceOf(NoFreeSlot);
    const other = of({ id: 'other', clientId: 'other' })();
    await vi.waitFor(() => expect(asked).toHaveLength(22));
    stop.abort();
    await Promise.all([...slow, ...second, other]);
    expect(asked.filter((path) => path === '/slow.wav')).toHaveLength(16 + 4 + 1);
    expect(taken()).toBe(asked.length);
  });
});

describe('the probe of an account', () => {
  it('is null if the account answers, else the problem', async () => {
    const { gateway, clock } = world();
    answers = [failed(401), failed(404), failed(200)];
    expect(await gateway.probe(account, 'call')).toBe('provider_answered_401');
    expect(await gateway.probe(account, 'call')).toBe('provider_unreachable');
    expect(await gateway.probe(account, 'call')).toBeNull();
    expect(await gateway.probe(account, 'call')).toBeNull();
    expect(asked).toHaveLength(3);
    clock.time += 1_001;
    answers = [failed(503)];
    expect(await gateway.probe(account, 'call', { retry: PATIENT_ONCE })).toBe('provider_answered_503');
  });
});

describe('a list', () => {
  it('leaves out conversations that cannot be requested', async () => {
    const { gateway } = world();
    listed = ['call_1', '\ud800', 'a\0b', 'x'.repeat(2_000), 'call_2'].map((id) => ({ call_id: id }));
    const { items } = await gateway.list(account, { ...call, from: null, to: null, live: true, cursor: null });
    expect(items.map(({ providerId }) => providerId)).toEqual(['call_1', 'call_2']);
  });
});
