// Our client of ElevenLabs' HTTP API against the simulator, which the official client accepts, over a real socket.
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startElevenLabsSimulator, type ElevenLabsSimulator } from '../../simulators/elevenlabs/index.js';
import { elevenlabs } from '../../src/providers/elevenlabs/index.js';
import type { Json } from '../../src/providers/provider-fact.js';
import type { ListedConversation, ListQuery, ProviderConnection } from '../../src/providers/provider.js';
import { egressTo } from '../support/egress.js';

/** An address where nobody listens. */
const NOBODY = 'http://127.0.0.1:1';

let simulator: ElevenLabsSimulator;
let connection: ProviderConnection;

beforeEach(async () => {
  simulator = await startElevenLabsSimulator({ apiKey: 'xi_test', webhookSecret: 'wsec_test' });
  connection = {
    apiKey: 'xi_test',
    webhookSecret: 'wsec_test',
    baseUrl: simulator.baseUrl,
    egress: egressTo([simulator.baseUrl, NOBODY]),
  };
});
afterEach(() => simulator.close());

const identity = (providerId: string) => ({ providerKind: 'conversation', providerId });
const ALL: ListQuery = { providerKind: 'conversation', from: null, to: null, live: false, cursor: null };
const T0 = 1_760_000_000_000;

/** A conversation that began this many seconds after T0. */
function at(seconds: number, fields: Record<string, unknown> = {}): string {
  const metadata = { start_time_unix_secs: T0 / 1000 + seconds };
  return simulator.addCompleteConversation({ conversation_id: `c${seconds}`, metadata, ...fields }).conversation_id;
}

async function listAll(query: Partial<ListQuery>): Promise<ListedConversation[]> {
  const found: ListedConversation[] = [];
  for (let cursor: string | null = null, first = true; first || cursor !== null; first = false) {
    const page = await elevenlabs.list(connection, { ...ALL, ...query, cursor });
    found.push(...page.items);
    cursor = page.next;
  }
  return found;
}

describe('the record', () => {
  it('is the raw document, including fields that no client knows yet', async () => {
    const { conversation_id: id } = simulator.addCompleteConversation({}, { seed: 'odd' });
    simulator.faults.oddities = ['unknown_field', 'unknown_value', 'null'];
    const answer = await elevenlabs.fetchRecord(connection, identity(id));
    expect(answer).toMatchObject({
      found: true,
      document: { conversation_id: id, x_new_field: { nested: [1, null] } },
    });
    const claims = elevenlabs.interpretRecord((answer as { document: Json }).document);
    expect(claims).toMatchObject({ ended: { failed: false }, analysed: true, recordings: [{ source: id }] });
  });

  it('is not found if ElevenLabs does not know it', async () => {
    expect(await elevenlabs.fetchRecord(connection, identity('conv_nobody'))).toEqual({ found: false });
  });

  it.each([
    [401, false],
    [422, false],
    [429, true],
    [500, true],
    [503, true],
  ])('fails with %i after one request; retryable: %s', async (status, retryable) => {
    const id = at(1);
    simulator.faults.getStatus = [status];
    simulator.faults.retryAfterSeconds = 7;
    const failing = elevenlabs.fetchRecord(connection, identity(id));
    const retryAfterMs = status === 429 || status === 503 ? 7000 : null;
    await expect(failing).rejects.toMatchObject({ name: 'ProviderError', status, retryable, retryAfterMs });
    expect(simulator.requests).toHaveLength(1);
  });

  it('fails without quoting the key or the response', async () => {
    const id = at(1);
    const failing = elevenlabs.fetchRecord({ ...connection, apiKey: 'xi_wrong_key' }, identity(id));
    const error = await failing.catch((reason: unknown) => reason);
    expect(error).toMatchObject({ status: 401, message: 'the provider answered 401' });
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('xi_wrong_key');
  });

  it('is retryable if nobody answers or the connection breaks', async () => {
    simulator.faults.resetConnections = 1;
    const unreachable = { status: null, retryable: true };
    await expect(elevenlabs.fetchRecord(connection, identity('c1'))).rejects.toMatchObject(unreachable);
    const nobody = { ...connection, baseUrl: NOBODY };
    await expect(elevenlabs.fetchRecord(nobody, identity('c1'))).rejects.toMatchObject(unreachable);
  });
});

describe('the list', () => {
  it('is read page by page, oldest first, each conversation once', async () => {
    for (let index = 0; index < 230; index += 1) at(index);
    const found = await listAll({});
    expect(found.map(({ providerId }) => providerId)).toEqual(Array.from({ length: 230 }, (_, index) => `c${index}`));
    expect(simulator.requests).toHaveLength(3);
    expect(found[1]).toMatchObject({ providerKind: 'conversation', startTime: T0 + 1000, isOver: true });
    expect(found[1]?.providerAgentId).toMatch(/^agent_/);
  });

  it('respects its window: from inclusive, to exclusive, in whole seconds', async () => {
    for (const second of [8, 9, 10, 11, 19, 20, 21]) at(second);
    const within = async (from: number, to: number) =>
      (await listAll({ from: T0 + from, to: T0 + to })).map(({ providerId }) => providerId);
    expect(await within(10_000, 20_000)).toEqual(['c10', 'c11', 'c19']);
    // Nothing is lost between two windows that share a boundary within a second.
    expect(await within(9_500, 10_500)).toEqual(['c9', 'c10']);
  });

  it('contains only live conversations if requested', async () => {
    at(1);
    const live = simulator.addConversation({ conversation_id: 'live' }).conversation_id;
    const begun = simulator.addConversation({ conversation_id: 'begun', status: 'initiated' }).conversation_id;
    const over = simulator.addConversation({ conversation_id: 'over' }).conversation_id;
    simulator.endConversation(over);
    const found = await listAll({ live: true });
    expect(found.map(({ providerId }) => providerId).toSorted()).toEqual([begun, live].toSorted());
    expect(found.every(({ isOver }) => !isOver)).toBe(true);
  });

  it('fails like a record', async () => {
    simulator.faults.listStatus = [429];
    await expect(elevenlabs.list(connection, ALL)).rejects.toMatchObject({ status: 429, retryable: true });
  });
});

describe('the recording', () => {
  it('comes from the audio endpoint, with the API key', async () => {
    const id = at(1);
    const { body, contentType } = await elevenlabs.openRecording(connection, id, new AbortController().signal);
    expect(contentType).toBe('audio/mpeg');
    const sent = JSON.parse(simulator.webhookBody('post_call_audio', id)) as { data: { full_audio: string } };
    expect(await buffer(body)).toEqual(Buffer.from(sent.data.full_audio, 'base64'));
  });

  it('is refused as not retryable if there is none', async () => {
    const signal = new AbortController().signal;
    const failing = elevenlabs.openRecording(connection, 'conv_nobody', signal);
    await expect(failing).rejects.toMatchObject({ status: 404, retryable: false });
  });

  it('stops if it is aborted in the middle', async () => {
    const id = at(1);
    const controller = new AbortController();
    const { body } = await elevenlabs.openRecording(connection, id, controller.signal);
    controller.abort();
    await expect(buffer(body)).rejects.toThrow();
  });
});
