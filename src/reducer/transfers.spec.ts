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

/** Facts received a second apart, in this order. */
const inTurn = (claims: Extract<Fact, { source: 'webhook' }>['claims'][]): Fact[] =>
  claims.map((each, index) => ({
    source: 'webhook',
    event: 'event',
    claims: each,
    receivedAt: START + (index + 1) * 1000,
    hash: String(index).padStart(4, '0'),
  }));

type ReceivedEvent = [event: string, destination?: string, more?: Record<string, Json>];

const callDocument = ([event, destination, more]: ReceivedEvent): Json => ({
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

/** Result of Retell's events, received in this order: `target status` of each transfer, and how many count. */
function resultOf(...events: ReceivedEvent[]): { transfers: string[]; count: number } {
  const facts = inTurn(events.map((event) => retell.interpretWebhook(callDocument(event))));
  const { header, transferCount } = recordOf(facts);
  return {
    transfers: header.transfers.map(({ target, status }) => `${target.value} ${status}`),
    count: transferCount,
  };
}

describe('transfers of a Retell call', () => {
  it('are one if only a later event names the destination', () => {
    expect(resultOf(['transfer_started'], ['transfer_bridged', X])).toEqual({ transfers: [`${X} bridged`], count: 1 });
    expect(resultOf(['transfer_started', X], ['transfer_bridged'])).toEqual({ transfers: [`${X} bridged`], count: 1 });
  });

  it('are one if the events come in the wrong order', () => {
    expect(resultOf(['transfer_bridged', X], ['transfer_started'])).toEqual({ transfers: [`${X} bridged`], count: 1 });
  });

  it('are two if the same number is tried again after the first try was cancelled', () => {
    const events: ReceivedEvent[] = [
      ['transfer_started', X],
      ['transfer_cancelled', X],
      ['transfer_started', X, { try: 2 }],
    ];
    expect(resultOf(...events)).toEqual({ transfers: [`${X} cancelled`, `${X} in_progress`], count: 1 });
    const again = resultOf(...events, ['transfer_bridged', X]);
    expect(again).toEqual({ transfers: [`${X} cancelled`, `${X} bridged`], count: 1 });
  });

  it('are two with their own ends if the event of the first one is late', () => {
    const events: ReceivedEvent[] = [
      ...([
        ['transfer_started', X],
        ['transfer_started', X],
        ['transfer_bridged', X],
      ] satisfies ReceivedEvent[]),
      ['transfer_cancelled', X],
    ];
    expect(resultOf(...events)).toEqual({ transfers: [`${X} cancelled`, `${X} bridged`], count: 1 });
  });

  it('are two if another number is tried', () => {
    expect(resultOf(['transfer_started', X], ['transfer_cancelled'], ['transfer_started', Y])).toEqual({
      transfers: [`${X} cancelled`, `${Y} in_progress`],
      count: 1,
    });
  });

  it('are one, however many documents say that the call ended by it', () => {
    const end = ended('call_transfer');
    const whole = ended('call_transfer', { transfer_end_timestamp: START + 90_000 });
    const events: ReceivedEvent[] = [
      ...([['transfer_started'], ['transfer_bridged', X], ['call_ended', X, end]] satisfies ReceivedEvent[]),
      ['call_analyzed', X, { ...end, call_analysis: {} }],
    ];
    expect(resultOf(...events)).toEqual({ transfers: [`${X} bridged`], count: 1 });
    expect(resultOf(...events, ['transfer_ended', X, whole])).toEqual({ transfers: [`${X} completed`], count: 1 });
    expect(resultOf(['call_analyzed', X, whole])).toEqual({ transfers: [`${X} completed`], count: 1 });
  });

  it.each(['call_transfer', 'transfer_bridged'])('are one if nothing but the end by %s reports it', (reason) => {
    expect(resultOf(['call_ended', undefined, ended(reason)])).toEqual({ transfers: ['null bridged'], count: 1 });
    expect(resultOf(['transfer_started', X], ['call_ended', undefined, ended(reason)])).toEqual({
      transfers: [`${X} bridged`],
      count: 1,
    });
  });

  it('are one, in any order of its events and the end, whichever of them name the target', () => {
    const named = fc.constantFrom(undefined, X);
    const reasons = fc.constantFrom('call_transfer', 'transfer_bridged');
    const given = fc.tuple(reasons, named, named, named, named).chain(([reason, ...targets]) => {
      const end = ended(reason);
      const whole = { ...end, transfer_end_timestamp: START + 90_000 };
      const events: ReceivedEvent[] = [
        ['transfer_started', targets[0]],
        ['transfer_bridged', targets[1]],
        ['call_ended', targets[2], end],
        ['call_analyzed', targets[2], { ...end, call_analysis: {} }],
        ['transfer_ended', targets[3], whole],
      ];
      return fc.shuffledSubarray(events, { minLength: 1 });
    });
    fc.assert(
      fc.property(given, (events) => {
        expect(resultOf(...events)).toMatchObject({ transfers: [expect.any(String)], count: 1 });
      }),
      { numRuns: 500 },
    );
  });

  it('are two if the call ended by one after another was cancelled', () => {
    const events: ReceivedEvent[] = [
      ['transfer_started', X],
      ['transfer_cancelled', X],
      ['call_ended', X, ended('call_transfer')],
    ];
    expect(resultOf(...events)).toEqual({ transfers: [`${X} cancelled`, `${X} bridged`], count: 1 });
  });

  it('have failed and do not count if the call ended before anybody answered', () => {
    const facts = inTurn(
      (
        [
          ['transfer_started', X],
          ['call_ended', X, ended('user_hangup')],
        ] satisfies ReceivedEvent[]
      ).map((event) => retell.interpretWebhook(callDocument(event))),
    );
    expect(recordOf(facts)).toMatchObject({
      transferCount: 0,
      header: { transfers: [{ status: 'failed', end_time: START + 60_000 }], segments: [{ holder: 'agent' }] },
    });
  });

  it('are the same, in whatever order the received facts are applied', () => {
    const events: ReceivedEvent[] = [
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
    const orders = fc.shuffledSubarray(events, { minLength: 1 }).chain((some) => {
      const facts = inTurn(some.map((event) => retell.interpretWebhook(callDocument(event))));
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
const recordFrom = (...documents: [status: string, transcript: Json[]][]): ConversationRecord =>
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

describe('transfers between ElevenLabs agents', () => {
  const byTool = [said(0, 'A'), tool(5, 'A', toAgent('B')), said(8, 'B')];

  it('create segments, whether by a tool or a workflow', () => {
    const record = recordFrom(['done', [...byTool, said(20, 'C')]]);
    expect(holders(record)).toEqual([
      ['A', 0],
      ['B', 5],
      ['C', 20],
    ]);
    expect(record.transferCount).toBe(2);
  });

  it('count once if the result of the tool comes with a later record', () => {
    const early = [said(0, 'A'), tool(5, 'A', null), said(8, 'B')];
    const record = recordFrom(['in-progress', early], ['processing', early], ['done', byTool]);
    expect(holders(record)).toEqual([
      ['A', 0],
      ['B', 5],
    ]);
    expect(record.transferCount).toBe(1);
  });

  it('count once if the tool does not name the target', () => {
    const record = recordFrom(['done', [said(0, 'A'), tool(5, 'A', toAgent(null)), said(8, 'B')]]);
    expect(holders(record)).toEqual([
      ['A', 0],
      ['B', 8],
    ]);
  });

  it('count once if the result of the tool is attached to words of the agent that took over', () => {
    const record = recordFrom(['done', [said(0, 'A'), tool(5, 'B', toAgent('B')), said(8, 'B')]]);
    expect(holders(record)).toEqual([
      ['A', 0],
      ['B', 5],
    ]);
  });

  it('count once if the agent that transferred finishes its sentence', () => {
    const record = recordFrom(['done', [...byTool.slice(0, 2), said(6, 'A'), said(8, 'B')]]);
    expect(holders(record)).toEqual([
      ['A', 0],
      ['B', 5],
    ]);
  });

  it('are two if an agent transfers back', () => {
    const record = recordFrom(['done', [...byTool, tool(20, 'B', toAgent('A')), said(22, 'A')]]);
    expect(holders(record)).toEqual([
      ['A', 0],
      ['B', 5],
      ['A', 20],
    ]);
  });

  it('have no effect if the tool failed', () => {
    const failed = tool(5, 'A', { result_type: 'transfer_to_agent_error' });
    const record = recordFrom(['done', [said(0, 'A'), failed, said(8, 'A'), tool(9, 'A', toAgent('B'))]]);
    expect(holders(record)).toEqual([
      ['A', 0],
      ['B', 9],
    ]);
    expect(record.header.transfers.map(({ status }) => status)).toEqual(['failed', 'bridged']);
    expect(record.transferCount).toBe(1);
  });
});
