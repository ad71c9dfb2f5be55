// Assigns times to lines and converts them to ElevenLabs' transcript items.
import { Random, seededHex } from '../random.js';
import type { Happening } from '../talk/lines.js';
import type { ToolCall, ToolResult, TranscriptItem } from './conversation.js';
import type { ScriptLine, SystemLine } from './dialogue.js';
import { turnMetrics } from './measures.js';
import { isText, type Plan } from './plan.js';

/** A transcript, the length of the conversation in seconds, and the agents in the order in which they took part. */
export interface Script {
  items: TranscriptItem[];
  seconds: number;
  agents: string[];
}

const SPOKEN_SECONDS_A_CHARACTER = 0.068;

/** Processes lines in order and tracks the time and the current agent. */
class Scribe {
  readonly items: TranscriptItem[] = [];
  readonly agents: string[];
  private readonly random: Random;
  private at = 0;
  private tools = 0;
  private agent: string;

  constructor(private readonly plan: Plan) {
    this.random = new Random(`${plan.seed} el times`);
    this.agent = plan.agent.agent_id;
    this.agents = [this.agent];
  }

  get seconds(): number {
    return this.items.length === 0 ? 0 : Math.ceil(this.at + this.random.between(0.6, 2));
  }

  add(line: ScriptLine): void {
    if (typeof line === 'string') this.say(line[0] === 'U' ? 'user' : 'agent', line.slice(3));
    else if ('system' in line) this.useSystem(line);
    else this.happen(line);
  }

  private say(role: 'user' | 'agent', message: string): void {
    const isTyped = isText(this.plan.channel);
    this.at += this.items.length === 0 ? 0 : isTyped ? this.random.between(2, 25) : this.random.between(0.4, 1.6);
    const item = this.item(role, message);
    item.conversation_turn_metrics = turnMetrics(this.random, role, isTyped);
    item.source_medium = role === 'agent' ? null : isTyped ? 'text' : 'audio';
    if (role === 'agent' && !isTyped && this.random.chance(0.04)) {
      const words = message.split(' ');
      item.interrupted = true;
      item['original_message'] = message;
      item.message = `${words.slice(0, Math.ceil(words.length / 2)).join(' ')}...`;
    }
    this.items.push(item);
    if (!isTyped) this.at += message.length * SPOKEN_SECONDS_A_CHARACTER * this.random.between(0.85, 1.2);
  }

  private happen(line: Happening): void {
    if ('pauseSeconds' in line) this.at += line.pauseSeconds * this.random.between(0.8, 1.2);
    else if ('tool' in line) this.useTool(line);
    else if ('dtmf' in line) {
      this.at += this.random.between(0.4, 1);
      this.items.push({ ...this.item('user', line.dtmf), source_medium: 'dtmf' });
    }
  }

  private useTool(line: Extract<Happening, { tool: string }>): void {
    const ok = line.ok ?? true;
    const details = {
      type: 'webhook',
      method: 'POST',
      url: `https://tools.example.invalid/${line.tool}`,
      headers: { authorization: 'Bearer tool-secret-of-the-simulation' },
      path_params: {},
      query_params: {},
      body: JSON.stringify(line.arguments),
    };
    const value = typeof line.result === 'string' ? line.result : JSON.stringify(line.result);
    const call = this.call('webhook', line.tool, line.arguments, details);
    const seconds = this.random.between(0.2, 2.4);
    const result = this.result(call, value, seconds, ok);
    this.pushTool(call, ok ? result : { ...result, error_type: 'http_error', raw_error_message: value }, seconds);
  }

  private useSystem(line: SystemLine): void {
    const call = this.call('system', line.system, line.arguments, null);
    const value = JSON.stringify({ status: line.ok ? 'success' : 'error' });
    this.pushTool(call, { ...this.result(call, value, 0.01, line.ok), result: line.result }, 0.01);
    if (line.speaksNext === undefined) return;
    this.agent = line.speaksNext;
    if (!this.agents.includes(line.speaksNext)) this.agents.push(line.speaksNext);
  }

  /** A call and its result are in one item or in two, linked by `request_id`. */
  private pushTool(call: ToolCall, result: ToolResult, seconds: number): void {
    const asked = { ...this.item('agent', null), tool_calls: [call] };
    this.at += seconds;
    if (result.type === 'system' || this.random.chance(0.5)) this.items.push({ ...asked, tool_results: [result] });
    else this.items.push(asked, { ...this.item('agent', null), tool_results: [result] });
  }

  private call(type: string, name: string, parameters: unknown, details: unknown): ToolCall {
    this.tools += 1;
    return {
      type,
      request_id: `tool_${seededHex(`${this.plan.seed} tool ${this.tools}`, 20)}`,
      tool_name: name,
      params_as_json: JSON.stringify(parameters),
      tool_has_been_called: true,
      tool_details: details,
    };
  }

  private result(call: ToolCall, value: string, seconds: number, ok: boolean): ToolResult {
    return {
      type: call.type,
      request_id: call.request_id,
      tool_name: call.tool_name,
      result_value: value,
      is_error: !ok,
      tool_has_been_called: true,
      tool_latency_secs: Math.round(seconds * 1000) / 1000,
    };
  }

  private item(role: string, message: string | null): TranscriptItem {
    const agent = { agent_id: this.agent, branch_id: null, workflow_node_id: null };
    return {
      role,
      message,
      time_in_call_secs: Math.floor(this.at),
      id: seededHex(`${this.plan.seed} item ${this.items.length} ${this.at}`, 24),
      source_event_id: this.items.length + 1,
      agent_metadata: role === 'agent' ? agent : null,
      tool_calls: [],
      tool_results: [],
      feedback: null,
      conversation_turn_metrics: null,
      rag_retrieval_info: null,
      interrupted: false,
      source_medium: null,
    };
  }
}

/** Assigns times to a script; the same plan gives the same items. */
export function transcribe(plan: Plan, lines: readonly ScriptLine[]): Script {
  const scribe = new Scribe(plan);
  for (const line of lines) scribe.add(line);
  return { items: scribe.items, seconds: scribe.seconds, agents: scribe.agents };
}
