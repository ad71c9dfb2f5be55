// Builds a chat document as Retell would return it, from a seed and the fields that the caller sets.
import { Random, seededHex } from '../random.js';
import { omit, type Fields } from '../records.js';
import { exchangeCount, exchangesOf } from '../talk/exchanges.js';
import { fill, type Line } from '../talk/lines.js';
import { resultOf, summaryOf, type Matter } from '../talk/outcome.js';
import { languageOf, slotsOf } from '../talk/people.js';
import { PHRASES } from '../talk/phrases.js';
import { topicOf } from '../talk/topics.js';
import { CHAT_AGENTS, type SimulatedAgent } from './agents.js';
import { CHAT_END_FIELDS, type ChatMessage, type RetellChat } from './chat.js';
import type { BuildContext } from './complete-call.js';

const EPOCH_MS = 1_760_000_000_000;
const LABELS: Record<string, string> = { agent: 'Agent', user: 'User' };

interface ChatPlan extends Matter {
  seed: string;
  agent: SimulatedAgent;
  lines: Line[];
}

function planChat(seed: string, fields: Fields): ChatPlan {
  const random = new Random(`${seed} chat`);
  const drawn = random.weighted(CHAT_AGENTS, (agent) => agent.weight);
  const agent = CHAT_AGENTS.find(({ agent_id: id }) => id === fields['agent_id']) ?? drawn;
  const topic = topicOf(agent.topic, random);
  const language = languageOf(agent.language);
  const slots = slotsOf(random, language, agent.agent_name, topic);
  const phrases = PHRASES[language];
  const count = exchangeCount(random);
  const middle = exchangesOf(random, { ...topic }, { ...phrases, fillers: [] }, { count, endless: false });
  const lines = [...topic.opening, ...middle, ...(random.chance(0.7) ? phrases.thanks : [])];
  return { seed, agent, topic, language, slots, lines: fill(lines, slots) };
}

/** Messages with their times in milliseconds after the start. */
function messagesOf(plan: ChatPlan): ChatMessage[] {
  const random = new Random(`${plan.seed} typing`);
  const messages: ChatMessage[] = [];
  let at = 0;
  const add = (role: string, rest: Fields, waitMs: number) => {
    at += Math.round(waitMs);
    const id = `msg_${seededHex(`${plan.seed} message ${messages.length}`, 20)}`;
    messages.push({ message_id: id, role, created_timestamp: at, ...rest });
  };
  for (const line of plan.lines) {
    if (typeof line === 'string') {
      const role = line.startsWith('U') ? 'user' : 'agent';
      add(role, { content: line.slice(3) }, role === 'user' ? random.between(3000, 40_000) : random.between(700, 2500));
    } else if ('tool' in line) {
      const id = `tool_${seededHex(`${plan.seed} tool ${messages.length}`, 16)}`;
      add(
        'tool_call_invocation',
        { tool_call_id: id, name: line.tool, arguments: JSON.stringify(line.arguments) },
        300,
      );
      const content = JSON.stringify(line.result);
      add('tool_call_result', { tool_call_id: id, content, successful: line.ok ?? true }, random.between(200, 1800));
    }
  }
  return messages;
}

function analysisOf(plan: ChatPlan, messages: readonly ChatMessage[]): Fields {
  const random = new Random(`${plan.seed} chat analysis`);
  const said = messages.flatMap(({ role, content }) =>
    typeof content === 'string' ? [{ isCustomer: role === 'user', text: content }] : [],
  );
  const result = resultOf(plan, said);
  return {
    chat_summary: summaryOf(plan, result),
    chat_successful: random.chance(0.94) && result === 'settled',
    user_sentiment: random.pick(['Positive', 'Neutral', 'Neutral', 'Negative', 'Unknown']),
    custom_analysis_data: { topic: plan.topic.key },
  };
}

const numberOr = (value: unknown, fallback: number): number => (typeof value === 'number' ? value : fallback);

/** The analysis of a chat with this seed. */
export function chatAnalysis(seed: string, chat: RetellChat): Fields {
  return analysisOf(planChat(seed, { ...chat }), chat.message_with_tool_calls ?? []);
}

function transcriptOf(messages: readonly ChatMessage[]): string {
  const said = messages.filter((message) => typeof message['content'] === 'string' && message.role in LABELS);
  return said.map((message) => `${LABELS[message.role]}: ${String(message['content'])}\n`).join('');
}

/** The messages with the customer's first one corrected, as after an edit. */
export function correctedMessages(chat: RetellChat): Fields {
  const messages = chat.message_with_tool_calls ?? [];
  const at = messages.findIndex((message) => message.role === 'user');
  const corrected = messages.map((message, index) =>
    index === at ? { ...message, content: `${String(message['content'])} (corrected)` } : message,
  );
  return at < 0 ? {} : { message_with_tool_calls: corrected, transcript: transcriptOf(corrected) };
}

/**
 * A finished and analysed chat, as `GET /get-chat` returns it. All `fields` are used as given; `undefined` removes a
 * field. Messages after `context.nowMs` are left out.
 */
export function completeChat(seed: string, fields: Fields = {}, context: BuildContext = {}): RetellChat {
  const plan = planChat(seed, fields);
  const all = messagesOf(plan);
  const length = (all.at(-1)?.created_timestamp ?? 0) + 1500;
  const nowMs = context.nowMs ?? EPOCH_MS + length;
  const endMs = Math.min(numberOr(fields['end_timestamp'], nowMs), nowMs);
  const startMs = numberOr(fields['start_timestamp'], endMs - length);
  const messages = all
    .map((message): ChatMessage => ({ ...message, created_timestamp: startMs + message.created_timestamp }))
    .filter((message) => message.created_timestamp <= endMs);
  const cents = Math.round(messages.length * 20) / 100;
  const chat: RetellChat = {
    chat_id: `chat_${seededHex(`${seed} chat id`, 27)}`,
    agent_id: plan.agent.agent_id,
    version: plan.agent.version,
    chat_status: 'ended',
    chat_type: 'api_chat',
    start_timestamp: startMs,
    end_timestamp: Math.min(endMs, startMs + length),
    transcript: transcriptOf(messages),
    message_with_tool_calls: messages,
    chat_analysis: analysisOf(plan, messages),
    chat_cost: { combined_cost: cents, product_costs: [{ product: 'gpt_4_1', cost: cents }] },
    metadata: { topic: plan.topic.key },
    retell_llm_dynamic_variables: { customer_name: plan.slots['name'] ?? '' },
    collected_dynamic_variables: { reference: plan.slots['reference'] ?? '' },
  };
  return omit({ ...chat, ...fields }, []);
}

/** A live chat: by default it began as long ago as the chat of that seed lasts. */
export function ongoingChat(seed: string, fields: Fields = {}, context: BuildContext = {}): RetellChat {
  const whole = completeChat(seed, fields, context);
  return omit({ ...omit(whole, CHAT_END_FIELDS), chat_status: 'ongoing', ...fields }, []);
}
