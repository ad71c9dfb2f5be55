// Everything an analysis claims is in the transcript, for any seed, scenario and cut-off time.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { completeConversation } from '../elevenlabs/complete-conversation.js';
import { ENDS } from '../elevenlabs/outcomes.js';
import { planConversation } from '../elevenlabs/plan.js';
import { scenarioOf as elevenlabsScenario } from '../elevenlabs/scenarios.js';
import { completeCall } from '../retell/complete-call.js';
import { completeChat } from '../retell/complete-chat.js';
import { CHAT_AGENTS } from '../retell/agents.js';
import { planCall } from '../retell/plan.js';
import { END_REASONS } from '../retell/reasons.js';
import { scenarioOf as retellScenario } from '../retell/scenarios.js';
import { Random } from '../random.js';
import { fill, type Line, type Slots } from './lines.js';
import { PHRASES } from './phrases.js';
import type { Language } from './people.js';
import type { Topic } from './topic.js';
import { topicOf } from './topics.js';

const NOW_MS = 1_795_000_000_000;
const runs = { numRuns: 600 };
const seeds = fc.nat().map((number) => `summary ${number}`);
/** Seconds after which the conversation is cut off. */
const cuts = fc.option(fc.integer({ min: 1, max: 90 }), { nil: null });

interface Told {
  summary: string;
  isSuccess: boolean;
  isHandedOver: boolean;
  isCallBackWanted: boolean;
  said: string[];
  customerSaid: string[];
  topic: Topic;
  language: Language;
  slots: Slots;
}

/** Whether all spoken ones of these lines are in the transcript. */
const has = ({ said, slots }: Told, lines: readonly Line[]): boolean =>
  fill(lines, slots).every((line) => typeof line !== 'string' || said.includes(line.slice(3)));

function expectTrue(told: Told): void {
  const { summary, slots, topic, customerSaid, isSuccess, isHandedOver, isCallBackWanted } = told;
  const phrases = PHRASES[told.language];
  const isSettled = has(told, topic.exchanges.flat());
  expect(summary.includes(fill(topic.summary, slots))).toBe(isSettled && customerSaid.length > 0);
  expect(summary.includes('wrong number')).toBe(has(told, phrases.wrongNumber));
  if (customerSaid.length === 0) expect(summary).not.toContain(slots['first']);
  if (isSuccess) expect(isSettled || isHandedOver).toBe(true);
  if (/completed|left a message|call back/.test(summary)) throw new Error(`claims more than it knows: ${summary}`);
  expect(isCallBackWanted).toBe(has(told, phrases.colleagueBusy));
}

describe('the analysis of', () => {
  it('a Retell call follows from its transcript', () => {
    const reasons = END_REASONS.filter(({ connected }) => connected).map(({ reason }) => reason);
    let settled = 0;
    fc.assert(
      fc.property(seeds, fc.constantFrom(...reasons), cuts, (seed, reason, cut) => {
        const start = cut === null ? {} : { start_timestamp: NOW_MS - cut * 1000 };
        const fields = { ...retellScenario(seed), disconnection_reason: reason, ...start };
        const call = completeCall(seed, fields, { nowMs: NOW_MS });
        const { topic, language, slots } = planCall(seed, fields);
        const spoken = (call.transcript_object ?? []).filter((item) => 'words' in item);
        const analysis = call.call_analysis;
        const data = analysis?.custom_analysis_data as Record<string, unknown> | undefined;
        const told: Told = {
          topic,
          language,
          slots,
          summary: analysis?.call_summary ?? '',
          isSuccess: analysis?.call_successful === true,
          isHandedOver: /^(call_transfer|transfer_bridged|call_take_over)$/.test(reason),
          isCallBackWanted: data?.['callback_requested'] === true,
          said: spoken.map(({ content }) => content),
          customerSaid: spoken.filter(({ role }) => role === 'user').map(({ content }) => content),
        };
        // Without a person there is no request to summarise.
        if (reason !== 'voicemail_reached' && reason !== 'ivr_reached') expectTrue(told);
        else expect(told.summary).toMatch(/^The agent reached (voicemail|an automated menu)/);
        settled += Number(told.summary.includes(fill(topic.summary, slots)));
      }),
      runs,
    );
    expect(settled).toBeGreaterThan(0);
  });

  it('a Retell call to a wrong number says so and mentions no request', () => {
    const calls = Array.from({ length: 100 }, (_, index) =>
      completeCall(`wrong ${index}`, { disconnection_reason: 'agent_hangup' }),
    );
    const wrong = calls.filter(({ call_analysis: analysis }) => analysis?.call_summary?.includes('wrong number'));
    expect(wrong.length).toBeGreaterThan(0);
    for (const { call_analysis: analysis } of wrong) {
      expect(analysis).toMatchObject({
        call_summary: 'It was a wrong number. The agent ended the call.',
        call_successful: false,
      });
    }
  });

  it('a Retell chat follows from its messages', () => {
    fc.assert(
      fc.property(seeds, cuts, (seed, cut) => {
        const start = cut === null ? {} : { start_timestamp: NOW_MS - cut * 1000 };
        const chat = completeChat(seed, start, { nowMs: NOW_MS });
        const agent = CHAT_AGENTS.find(({ agent_id: id }) => id === chat.agent_id);
        const topic = topicOf(agent?.topic ?? '', new Random('any'));
        const messages = chat.message_with_tool_calls ?? [];
        const words = (role: string): string[] =>
          messages.flatMap((message) => (message.role === role ? [String(message['content'])] : []));
        const [name = ''] = [chat.retell_llm_dynamic_variables?.['customer_name']];
        const { chat_summary: summary, chat_successful: isSuccess } = chat.chat_analysis as Record<
          string,
          string | boolean
        >;
        // Of the slot values, a chat document only has the names: look for the longest part of the summary without slots.
        const settled = Math.max(...topic.summary.split(/\{\w+\}/).map(({ length }) => length));
        const part = topic.summary.split(/\{\w+\}/).find(({ length }) => length === settled) ?? '';
        const fixed = topic.exchanges
          .flat()
          .flatMap((line) => (typeof line === 'string' && !line.includes('{') ? [line.slice(3)] : []));
        const said = [...words('agent'), ...words('user')];
        const isSettled = fixed.every((line) => said.includes(line));
        if (`${summary}`.includes(part)) expect(isSettled && words('user').length > 0).toBe(true);
        if (isSuccess === true) expect(isSettled).toBe(true);
        if (words('user').length === 0) expect(summary).not.toContain(String(name).split(' ')[0]);
      }),
      runs,
    );
  });

  it('an ElevenLabs conversation follows from its transcript', () => {
    const outcomes = ENDS.filter(({ connected }) => connected).map(({ outcome }) => outcome);
    let settled = 0;
    fc.assert(
      fc.property(seeds, fc.constantFrom(...outcomes), cuts, (seed, outcome, cut) => {
        const scenario = { ...elevenlabsScenario(seed), outcome };
        const start = cut === null ? {} : { metadata: { start_time_unix_secs: NOW_MS / 1000 - cut } };
        const conversation = completeConversation(seed, start, scenario, { nowMs: NOW_MS });
        const { topic, language, slots } = planConversation(seed, start, scenario);
        const spoken = conversation.transcript.filter((item) => item.source_medium !== 'dtmf');
        const words = (role?: string): string[] =>
          spoken.flatMap((item) => (item.message !== null && item.role === (role ?? item.role) ? [item.message] : []));
        const analysis = conversation.analysis as {
          transcript_summary: string;
          call_successful: string;
          data_collection_results: Record<string, { value: unknown }>;
        };
        const { callback_requested: callBack, reference } = analysis.data_collection_results;
        const told: Told = {
          topic,
          language,
          slots,
          summary: analysis.transcript_summary,
          isSuccess: analysis.call_successful === 'success',
          isHandedOver: outcome === 'transferred',
          isCallBackWanted: callBack?.value === true,
          said: words(),
          customerSaid: words('user'),
        };
        if (outcome === 'voicemail') expect(told.summary).toBe('The agent reached voicemail.');
        else expectTrue(told);
        const isTold = told.said.some((line) => line.includes(slots['reference'] ?? ''));
        expect(reference?.value).toBe(isTold ? slots['reference'] : null);
        settled += Number(told.summary.includes(fill(topic.summary, slots)));
      }),
      runs,
    );
    expect(settled).toBeGreaterThan(0);
  });
});
