import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Json } from '../providers/provider-fact.js';
import { elevenlabs } from '../providers/elevenlabs/index.js';
import { retell } from '../providers/retell/index.js';
import type { Fact } from './fact.js';
import { project } from './project.js';
import { EMPTY } from './conversation-state.js';
import { reduce } from './reducer.js';
import type { ConversationRecord } from './record.js';

const START = 1_760_000_000_000;
const SETTINGS = { deadlines: { analysis: 1800, transcript: 3600, audio: 86_400 }, defaultRegion: null };
const [X, Y] = ['+12025550177', '+12025550178'];

const recordOf = (facts: Fact[]): ConversationRecord => project(reduce(EMPTY, facts).state, SETTINGS);

/** Facts that are received a second apart, in this order. */
const inTurn = (claims: Extract<Fact, { source: 'webhook' }>['claims'][]): Fact[] =>
  claims.map((each, index) => ({
    source: 'webhook',
    event: 'event',
    claims: each,
    receivedAt: START + (index + 1) * 1000,
    hash: String(index).padStart(4, '0'),
  }));

type Word = [event: string, destination?: string, more?: Record<string, Json>];

const callDocument = ([event, destination, more]: Word): Json => ({
  event,
  call: {
    call_id: 'call_1',
    agent_id: 'agent_1',
    call_status: 'ongoing',
    start_timestamp: START,
    ...(destination !== undefined && { transfer_destination: destination }),
    ...more,
  },
});
const ended = (reason: string, more: Record<string, Json> = {}): Record<string, Json> => ({
  call_status: 'ended',
  disconnection_reason: reason,
  end_timestamp: START + 60_000,
  ...more,
});

/** What becomes of Retell's words, received in this order: `target status` of each transfer, and how many count. */
function told(...words: Word[]): { transfers: string[]; count: number } {
  const facts = inTurn(words.map((word) => retell.interpretWebhook(callDocument(word))));
  const { header, transferCount } = recordOf(facts);
  return {
    transfers: header.transfers.map(({ target, status }) => `${target.value} ${status}`),
    count: transferCount,
  };
}

describe('transfers of a Retell call', () => {
  it('are one, when only the later of its words names the destination', () => {
    expect(told(['transfer_started'], ['transfer_bridged', X])).toEqual({ transfers: [`${X} bridged`], count: 1 });
    expect(told(['transfer_started', X], ['transfer_bridged'])).toEqual({ transfers: [`${X} bridged`], count: 1 });
  });

  it('are one, when its words come in the wrong order', () => {
    expect(told(['transfer_bridged', X], ['transfer_started'])).toEqual({ transfers: [`${X} bridged`], count: 1 });
  });

  it('are two, when the same number is tried again after the first try was cancelled', () => {
    const words: Word[] = [
      ['transfer_started', X],
      ['transfer_cancelled', X],
      ['transfer_started', X, { try: 2 }],
    ];
    expect(told(...words)).toEqual({ transfers: [`${X} cancelled`, `${X} in_progress`], count: 1 });
    const again = told(...words, ['transfer_bridged', X]);
    expect(again).toEqual({ transfers: [`${X} cancelled`, `${X} bridged`], count: 1 });
  });

  it('are two with their own ends, when the word of the first one is late', () => {
    const words: Word[] = [
      ...([
        ['transfer_started', X],
        ['transfer_started', X],
        ['transfer_bridged', X],
      ] satisfies Word[]),
      ['transfer_cancelled', X],
    ];
    expect(told(...words)).toEqual({ transfers: [`${X} cancelled`, `${X} bridged`], count: 1 });
  });

  it('are two, when another number is tried', () => {
    expect(told(['transfer_started', X], ['transfer_cancelled'], ['transfer_started', Y])).toEqual({
      transfers: [`${X} cancelled`, `${Y} in_progress`],
      count: 1,
    });
  });

  it('are one, however many documents say that the call ended by it', () => {
    const end = ended('call_transfer');
    const whole = ended('call_transfer', { transfer_end_timestamp: START + 90_000 });
    const words: Word[] = [
      ...([['transfer_started'], ['transfer_bridged', X], ['call_ended', X, end]] satisfies Word[]),
      ['call_analyzed', X, { ...end, call_analysis: {} }],
    ];
    expect(told(...words)).toEqual({ transfers: [`${X} bridged`], count: 1 });
    expect(told(...words, ['transfer_ended', X, whole])).toEqual({ transfers: [`${X} completed`], count: 1 });
    expect(told(['call_analyzed', X, whole])).toEqual({ transfers: [`${X} completed`], count: 1 });
  });

  it.each(['call_transfer', 'transfer_bridged'])(
    'are one, when that the call ended by %s is all that is told',
    (reason) => {
      expect(told(['call_ended', undefined, ended(reason)])).toEqual({ transfers: ['null bridged'], count: 1 });
      expect(told(['transfer_started', X], ['call_ended', undefined, ended(reason)])).toEqual({
        transfers: [`${X} bridged`],
        count: 1,
      });
    },
  );

  it('are one, in whatever order its events and the end that it made are received, whichever of them name whom', () => {
    const named = fc.constantFrom(undefined, X);
    const reasons = fc.constantFrom('call_transfer', 'transfer_bridged');
    const given = fc.tuple(reasons, named, named, named, named).chain(([reason, ...targets]) => {
      const end = ended(reason);
      const whole = { ...end, transfer_end_timestamp: START + 90_000 };
      const words: Word[] = [
        ['transfer_started', targets[0]],
        ['transfer_bridged', targets[1]],
        ['call_ended', targets[2], end],
        ['call_analyzed', targets[2], { ...end, call_analysis: {} }],
        ['transfer_ended', targets[3], whole],
      ];
      return fc.shuffledSubarray(words, { minLength: 1 });
    });
    fc.assert(
      fc.property(given, (words) => {
        expect(told(...words)).toMatchObject({ transfers: [expect.any(String)], count: 1 });
      }),
      { numRuns: 500 },
    );
  });

  it('are two, when the call ended by one after another was cancelled', () => {
    const words: Word[] = [
      ['transfer_started', X],
      ['transfer_cancelled', X],
      ['call_ended', X, ended('call_transfer')],
    ];
    expect(told(...words)).toEqual({ transfers: [`${X} cancelled`, `${X} bridged`], count: 1 });
  });

  it('have failed and do not count, when the call ended before anybody took it', () => {
    const facts = inTurn(
      (
        [
          ['transfer_started', X],
          ['call_ended', X, ended('user_hangup')],
        ] satisfies Word[]
      ).map((word) => retell.interpretWebhook(callDocument(word))),
    );
    expect(recordOf(facts)).toMatchObject({
      transferCount: 0,
      header: { transfers: [{ status: 'failed', end_time: START + 60_000 }], segments: [{ holder: 'agent' }] },
    });
  });

  it('are the same, in whatever order what was received is applied', () => {
    const words: Word[] = [
      ['transfer_started'],
      ['transfer_started', X],
      ['transfer_started', Y],
      ['transfer_bridged'],
      ['transfer_bridged', X],
      ['transfer_cancelled', X],
      ['transfer_cancelled'],
      ['call_ended', X, ended('call_transfer')],
      ['call_ended', undefined, ended('user_hangup')],
      ['transfer_ended', X, ended('call_transfer', { transfer_end_timestamp: START + 90_000 })],
    ];
    const orders = fc.shuffledSubarray(words, { minLength: 1 }).chain((some) => {
      const facts = inTurn(some.map((word) => retell.interpretWebhook(callDocument(word))));
      return fc.tuple(fc.constant(facts), fc.shuffledSubarray(facts, { minLength: facts.length }));
    });
    fc.assert(
      fc.property(orders, ([facts, shuffled]) => {
        expect(recordOf(shuffled)).toEqual(recordOf(facts));
      }),
      { numRuns: 300 },
    );
  });
});

const said = (seconds: number, agentId: string, more: Record<string, Json> = {}): Json => ({
  role: 'agent',
  message: 'Hello',
  time_in_call_secs: seconds,
  agent_metadata: { agent_id: agentId },
  ...more,
});
const tool = (seconds: number, agentId: string, result: Record<string, Json> | null): Json =>
  said(seconds, agentId, {
    message: null,
    tool_results: result === null ? [] : [{ request_id: `tc_${seconds}`, tool_name: 'transfer', result }],
  });
const toAgent = (to: string | null): Record<string, Json> => ({
  result_type: 'transfer_to_agent_success',
  to_agent: to,
});

/** ElevenLabs' records of one conversation, received in this order. */
const listened = (...documents: [status: string, transcript: Json[]][]): ConversationRecord =>
  recordOf(
    inTurn(
      documents.map(([status, transcript]) =>
        elevenlabs.interpretRecord({
          conversation_id: 'conv_1',
          agent_id: 'A',
          status,
          transcript,
          metadata: { start_time_unix_secs: START / 1000, call_duration_secs: 60 },
        }),
      ),
    ),
  );
const holders = ({ header }: ConversationRecord): unknown[] =>
  header.segments.map(({ agent_id: agent, start_time: at }) => [agent, (at - START) / 1000]);

describe('handovers between ElevenLabs agents', () => {
  const byTool = [said(0, 'A'), tool(5, 'A', toAgent('B')), said(8, 'B')];

  it('are segments, whether a tool or a workflow made them', () => {
    const record = listened(['done', [...byTool, said(20, 'C')]]);
    expect(holders(record)).toEqual([
      ['A', 0],
      ['B', 5],
      ['C', 20],
    ]);
    expect(record.transferCount).toBe(2);
  });

  it('are told once, when the result of the tool comes with a later record', () => {
    const early = [said(0, 'A'), tool(5, 'A', null), said(8, 'B')];
    const record = listened(['in-progress', early], ['processing', early], ['done', byTool]);
    expect(holders(record)).toEqual([
      ['A', 0],
      ['B', 5],
    ]);
    expect(record.transferCount).toBe(1);
  });

  it('are told once, when the tool does not name to whom', () => {
    const record = listened(['done', [said(0, 'A'), tool(5, 'A', toAgent(null)), said(8, 'B')]]);
    expect(holders(record)).toEqual([
      ['A', 0],
      ['B', 8],
    ]);
  });

  it('are told once, when the result of the tool hangs on words of the agent that took over', () => {
    const record = listened(['done', [said(0, 'A'), tool(5, 'B', toAgent('B')), said(8, 'B')]]);
    expect(holders(record)).toEqual([
      ['A', 0],
      ['B', 5],
    ]);
  });

  it('are told once, when the agent that handed over finishes its sentence', () => {
    const record = listened(['done', [...byTool.slice(0, 2), said(6, 'A'), said(8, 'B')]]);
    expect(holders(record)).toEqual([
      ['A', 0],
      ['B', 5],
    ]);
  });

  it('are two, when an agent hands back', () => {
    const record = listened(['done', [...byTool, tool(20, 'B', toAgent('A')), said(22, 'A')]]);
    expect(holders(record)).toEqual([
      ['A', 0],
      ['B', 5],
      ['A', 20],
    ]);
  });

  it('hold nothing, when the tool failed', () => {
    const failed = tool(5, 'A', { result_type: 'transfer_to_agent_error' });
    const record = listened(['done', [said(0, 'A'), failed, said(8, 'A'), tool(9, 'A', toAgent('B'))]]);
    expect(holders(record)).toEqual([
      ['A', 0],
      ['B', 9],
    ]);
    expect(record.header.transfers.map(({ status }) => status)).toEqual(['failed', 'bridged']);
    expect(record.transferCount).toBe(1);
  });
});
