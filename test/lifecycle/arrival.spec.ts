import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { BlindIndexHasher } from '../../src/vault/blind-index-hasher.js';
import { eventually, install, type Installation } from '../support/installation.js';
import type { StoredConversation } from '../support/stored-conversation.js';

let colloquy: Installation;

beforeAll(async () => {
  colloquy = await install();
  await colloquy.startWorker();
});
afterAll(() => colloquy.close());

describe('a call that never connects', () => {
  it.each([
    ['dial_no_answer', 'no_answer'],
    ['no_valid_payment', 'billing'],
  ])('settles as failed at once, with every part absent and no download, after %s', async (reason, category) => {
    const { call_id: callId } = colloquy.retell.addCompleteCall({ disconnection_reason: reason }, reason);
    await colloquy.send('call_ended', callId);
    const settled = await colloquy.settled(callId);
    expect(settled).toMatchObject({ status: 'failed', end_category: category });
    expect([settled.transcript_state, settled.audio_state]).toEqual(['absent', 'absent']);
    expect([settled.transcript_reason, settled.audio_reason]).toEqual(['never_connected', 'never_connected']);
    expect(colloquy.requestsOf(callId, 'audio')).toBe(0);
  });

  it('waits for no analysis if the provider has none', async () => {
    const { call_id: callId } = colloquy.retell.addCompleteCall({
      disconnection_reason: 'dial_busy',
      call_analysis: undefined,
    });
    await colloquy.send('call_ended', callId);
    expect(await colloquy.settled(callId)).toMatchObject({
      analysis_state: 'absent',
      analysis_reason: 'never_connected',
    });
  });
});

describe('webhooks out of order', () => {
  it.each([
    ['call_analyzed comes first', ['call_analyzed', 'call_started', 'call_ended']],
    ['call_ended comes before call_started', ['call_ended', 'call_started', 'call_analyzed']],
  ])('end in the same record if %s', async (_, events) => {
    const { call_id: callId } = colloquy.retell.addCall();
    const started = colloquy.retell.webhookBody('call_started', callId);
    colloquy.finish(callId);
    for (const event of events) {
      await colloquy.sendBody(event === 'call_started' ? started : colloquy.retell.webhookBody(event, callId));
      await colloquy.call(callId);
    }
    const settled = await colloquy.settled(callId);
    expect(settled).toMatchObject({
      status: 'completed',
      end_category: 'customer_hangup',
      transcript_state: 'present',
      audio_state: 'present',
      analysis_state: 'present',
    });
    expect(settled.start_time.getTime()).toBe(colloquy.retell.calls.get(callId)?.start_timestamp);
    expect(settled.end_time?.getTime()).toBe(colloquy.retell.calls.get(callId)?.end_timestamp);
  });
});

describe('the same webhook again', () => {
  it('is one conversation and one applied fact if it arrives five times at once and once after settling', async () => {
    const { call_id: callId } = colloquy.retell.addCompleteCall({ call_id: 'call_five_times' });
    const body = colloquy.retell.webhookBody('call_analyzed', callId);
    const answers = await Promise.all(Array.from({ length: 5 }, () => colloquy.sendBody(body)));
    expect(answers.sort()).toEqual(['duplicate', 'duplicate', 'duplicate', 'duplicate', 'stored']);
    const settled = await colloquy.settled(callId);
    const before = await colloquy.store.journal(settled.id);
    expect(before.filter(({ action }) => action === 'conversation.created')).toHaveLength(1);
    expect(await colloquy.sendBody(body)).toBe('duplicate');
    expect((await colloquy.call(callId)).revision).toBe(settled.revision);
    expect(await colloquy.store.journal(settled.id)).toHaveLength(before.length);
  });
});

describe('webhooks of unknown form', () => {
  it.each([
    ['an event of unknown type', { event: 'call_exploded', call: { call_id: 'call_unknown' } }],
    ['a call without an id', { event: 'call_started', call: { call_status: 'ongoing' } }],
    ['an object of another kind', { hello: [1, 2, 3] }],
  ])('are stored once as unknown, and create no conversation: %s', async (_, body) => {
    const unknown = async (): Promise<number> =>
      (await colloquy.sql.query("select 1 from inbox where state = 'unknown' and identity_hash is null")).rows.length;
    const [before, conversations] = [await unknown(), (await colloquy.conversations()).length];
    expect(await colloquy.sendBody(JSON.stringify(body))).toBe('unknown');
    expect(await colloquy.sendBody(JSON.stringify(body))).toBe('duplicate');
    expect(await unknown()).toBe(before + 1);
    expect(await colloquy.conversations()).toHaveLength(conversations);
  });
});

interface LookUp {
  kind: string;
  hash: string;
  client_id: string;
  start_time: Date;
}

/** Rows of the blind index, in a fixed order. */
async function lookUps(conversationId: string): Promise<LookUp[]> {
  const text = `select kind, encode(hash, 'hex') as hash, client_id, start_time from blind_indexes where conversation_id = $1`;
  const { rows } = await colloquy.searchSql.query<LookUp>(text, [conversationId]);
  return inOrder(rows);
}

const inOrder = (rows: LookUp[]): LookUp[] =>
  rows.toSorted((a, b) => (`${a.kind} ${a.hash}` < `${b.kind} ${b.hash}` ? -1 : 1));

type Value = Parameters<BlindIndexHasher['hash']>;

/** The rows by which a conversation should be found with these values. */
async function rowsFor({ start_time }: StoredConversation, ...values: Value[]): Promise<LookUp[]> {
  const hasher = await colloquy.vault.indexHasher(colloquy.clientId);
  const of = { client_id: colloquy.clientId, start_time };
  return inOrder(
    values.map(([kind, ...value]) => ({ ...of, kind, hash: hasher.hash(kind, ...value).toString('hex') })),
  );
}

/** Waits until exactly these rows exist: the index follows the record. */
async function expectIndexed(conversation: StoredConversation, ...values: Value[]): Promise<void> {
  const rows = await rowsFor(conversation, ...values);
  await vi.waitFor(async () => expect(await lookUps(conversation.id)).toEqual(rows), { timeout: 5_000, interval: 50 });
}

describe('what a conversation can be found by', () => {
  it('is hashed into separate rows, which are replaced if the provider corrects itself', async () => {
    const { call_id: callId } = colloquy.retell.addCompleteCall(
      {
        direction: 'inbound',
        from_number: '+12025550142',
        metadata: { order: 'A-17', lane: 'fast' },
        telephony_identifier: { twilio_call_sid: 'CA17' },
        transfer_destination: '+12025550177',
      },
      'look-ups',
    );
    await colloquy.send('transfer_bridged', callId);
    await colloquy.send('call_analyzed', callId);
    const settled = await colloquy.settled(callId);
    const lasting: Value[] = [
      ['provider_id', callId],
      ['correlation', 'twilio.call_sid', 'CA17'],
      ['transfer_target', '+12025550177'],
    ];
    const first: Value[] = [
      ['phone', '+12025550142'],
      ['phone_last4', '0142'],
      ['metadata', 'order', 'A-17'],
      ['metadata', 'lane', 'fast'],
    ];
    await expectIndexed(settled, ...lasting, ...first);

    const start_timestamp = settled.start_time.getTime() - 1000;
    colloquy.retell.calls.update(callId, { from_number: '+12025550199', metadata: { order: 'A-18' }, start_timestamp });
    await colloquy.send('call_analyzed', callId);
    const corrected = await colloquy.call(callId, ({ revision }) => revision > settled.revision);
    expect(corrected.start_time.getTime()).toBe(start_timestamp);
    const now: Value[] = [
      ['phone', '+12025550199'],
      ['phone_last4', '0199'],
      ['metadata', 'order', 'A-18'],
    ];
    await expectIndexed(corrected, ...lasting, ...now);
  });
});

describe('what is stored', () => {
  it('contains no numbers and no direction if a web call has none', async () => {
    const { call_id: callId } = colloquy.retell.addCompleteCall({ call_type: 'web_call' }, 'web');
    await colloquy.send('call_analyzed', callId);
    const settled = await colloquy.settled(callId);
    expect(settled).toMatchObject({ channel: 'web_call', direction: null, status: 'completed' });
    expect(await colloquy.store.header(settled)).toMatchObject({ customer_number: null, agent_number: null });
    const kinds = await eventually(async () => {
      const rows = await lookUps(settled.id);
      return rows.length > 0 && rows.map(({ kind }) => kind);
    });
    expect(kinds).toContain('provider_id');
    expect(kinds.filter((kind) => kind.startsWith('phone'))).toEqual([]);
  });

  it('contains neither access_token nor thought_signature, even if webhook and record contain both', async () => {
    const invocation = {
      role: 'tool_call_invocation',
      tool_call_id: 't1',
      name: 'look_up',
      arguments: '{"a":1}',
      time_sec: 1,
      thought_signature: 'canary-thought',
    };
    const { call_id: callId } = colloquy.retell.addCompleteCall(
      { call_type: 'web_call', access_token: 'canary-token', transcript_with_tool_calls: [invocation] },
      'secrets',
    );
    const body = colloquy.retell.webhookBody('call_analyzed', callId);
    expect(body).toContain('canary-token');
    expect(body).toContain('canary-thought');
    await colloquy.sendBody(body);
    const settled = await colloquy.settled(callId);
    const everything = await colloquy.store.everything(settled);
    expect(everything).toContain('look_up');
    expect(everything).not.toMatch(/canary|access_token|thought_signature/);
  });

  it('contains the transcript in order, with arguments and results of tools', async () => {
    const { call_id: callId } = colloquy.retell.addCompleteCall({}, 'turns');
    await colloquy.send('call_analyzed', callId);
    const settled = await colloquy.settled(callId);
    const turns = await colloquy.store.turns(settled.id);
    const items = colloquy.retell.calls.get(callId)?.transcript_with_tool_calls ?? [];
    expect(turns).toHaveLength(items.length);
    expect(settled.turn_count).toBe(items.length);
    expect(turns.map(({ index }) => index)).toEqual(items.map((_, index) => index));
  });
});
