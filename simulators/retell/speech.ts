// Assigns times to lines: words with seconds of audio time, pauses, tool calls, as in Retell's transcripts.
import { Random, seededHex } from '../random.js';
import type { Fields } from '../records.js';
import type { RetellCall, TranscriptItem, Word } from './call.js';
import type { Happening, Line } from '../talk/lines.js';

const SPEAKERS = { A: 'agent', U: 'user', T: 'transfer_target' } as const;
const LABELS = { agent: 'Agent', user: 'User', transfer_target: 'Transfer Target' } as const;

type SpokenRole = keyof typeof LABELS;

/** A timed dialogue. `responseMs`: how long the agent took to answer, turn by turn. */
export interface Speech {
  items: TranscriptItem[];
  durationMs: number;
  responseMs: number[];
}

/** Seconds, rounded to the millisecond. */
const seconds = (value: number): number => Math.round(value * 1000) / 1000;

/** Processes lines in order and tracks the time. */
class Speaker {
  readonly items: TranscriptItem[] = [];
  readonly responseMs: number[] = [];
  private at = 0.2;
  private tools = 0;
  private nodes = 0;

  constructor(
    private readonly random: Random,
    private readonly seed: string,
  ) {}

  add(line: Line): void {
    if (typeof line !== 'string') this.happen(line);
    else this.say(SPEAKERS[line[0] === 'U' ? 'U' : line[0] === 'T' ? 'T' : 'A'], line.slice(3));
  }

  say(role: SpokenRole, content: string): void {
    const last = this.items.at(-1)?.role;
    const gap = role === 'agent' ? this.random.between(0.55, 1.5) : this.random.between(0.3, 1.6);
    if (role === 'agent' && last === 'user') this.responseMs.push(Math.round(gap * 1000));
    this.at += gap;
    this.items.push({
      role,
      content,
      words: content
        .split(/\s+/)
        .filter(Boolean)
        .map((word) => this.speak(word)),
    });
  }

  get durationMs(): number {
    return this.items.length === 0 ? 0 : Math.round((this.at + this.random.between(0.4, 1.4)) * 1000);
  }

  private speak(word: string): Word {
    const start = this.at;
    this.at += Math.min(0.9, 0.12 + 0.045 * word.length) * this.random.between(0.85, 1.2);
    const end = this.at;
    this.at += /[.,?!]$/.test(word) ? this.random.between(0.15, 0.4) : this.random.between(0.02, 0.07);
    return { word, start: seconds(start), end: seconds(end) };
  }

  private happen(line: Happening): void {
    if ('pauseSeconds' in line) this.at += line.pauseSeconds * this.random.between(0.8, 1.2);
    else if ('tool' in line) this.useTool(line);
    else if ('node' in line) this.enterNode(line.node);
    else if ('dtmf' in line) this.press(line.dtmf);
    else this.items.push({ role: 'sms', content: line.sms, time_sec: seconds(this.at) });
  }

  private press(digit: string): void {
    this.at += this.random.between(0.3, 0.9);
    this.items.push({ role: 'dtmf', digit });
  }

  private useTool(line: Extract<Happening, { tool: string }>): void {
    this.tools += 1;
    const id = `tool_${seededHex(`${this.seed} tool ${this.tools}`, 16)}`;
    const type = line.tool === 'transfer_call' || line.tool === 'end_call' ? line.tool : 'custom';
    const invocation = { tool_call_id: id, name: line.tool, arguments: JSON.stringify(line.arguments), type };
    this.items.push({ role: 'tool_call_invocation', ...invocation, time_sec: seconds(this.at) });
    this.at += this.random.between(0.25, 1.8);
    const content = typeof line.result === 'string' ? line.result : JSON.stringify(line.result);
    const successful = line.ok ?? true;
    this.items.push({ role: 'tool_call_result', tool_call_id: id, content, successful, time_sec: seconds(this.at) });
  }

  private enterNode([from, to]: [string, string]): void {
    this.nodes += 1;
    this.items.push({
      role: 'node_transition',
      former_node_id: `node-${this.nodes}`,
      former_node_name: from,
      new_node_id: `node-${this.nodes + 1}`,
      new_node_name: to,
      transition_type: 'normal',
    });
  }
}

/** Assigns times to a dialogue; the same seed and lines give the same times. */
export function speechOf(seed: string, lines: readonly Line[]): Speech {
  const speaker = new Speaker(new Random(`${seed} speech`), seed);
  for (const line of lines) speaker.add(line);
  return { items: speaker.items, durationMs: speaker.durationMs, responseMs: speaker.responseMs };
}

function isSpoken(item: TranscriptItem): item is Extract<TranscriptItem, { words: Word[] }> {
  return 'words' in item;
}

/** The part of a transcript within the first `durationMs`; words that end later are left out. */
export function spokenUntil(items: readonly TranscriptItem[], durationMs: number): TranscriptItem[] {
  const limit = durationMs / 1000;
  const kept: TranscriptItem[] = [];
  for (const item of items) {
    if (!isSpoken(item)) {
      if ('time_sec' in item && item.time_sec > limit) break;
      kept.push(item);
      continue;
    }
    const words = item.words.filter((word) => word.end <= limit);
    if (words.length === item.words.length) kept.push(item);
    else {
      if (words.length > 0) kept.push({ ...item, words, content: words.map((word) => word.word).join(' ') });
      break;
    }
  }
  return kept;
}

/** Retell's three renderings of a transcript. */
export function transcriptFields(items: readonly TranscriptItem[]): {
  transcript: string;
  transcript_object: TranscriptItem[];
  transcript_with_tool_calls: TranscriptItem[];
} {
  const spoken = items.filter(isSpoken);
  return {
    transcript: spoken.map((item) => `${LABELS[item.role]}: ${item.content}\n`).join(''),
    transcript_object: spoken,
    transcript_with_tool_calls: [...items],
  };
}

/** The transcript with the customer's first utterance corrected, as after an improved recognition. */
export function correctedFields(call: RetellCall): Fields {
  const items = call.transcript_with_tool_calls ?? [];
  const at = items.findIndex((item) => item.role === 'user');
  if (at < 0) return {};
  const corrected = items.map((item, index) =>
    index === at && isSpoken(item) ? { ...item, content: `${item.content} (corrected)` } : item,
  );
  return transcriptFields(corrected);
}
