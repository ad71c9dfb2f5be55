// Runs after every mapper: makes sure that claims can be stored and are bounded in size, whatever the provider sent. A value that
// cannot be stored or exceeds a limit is left out; the rest of the document is kept. Pure.
import { PLAIN_KINDS, plainValues, type PlainValues } from './plain-fields.js';
import { exactNumber, wholeUpTo, type PlainKind } from './plain-kinds.js';
import type { ListPage } from './provider.js';
import type { Claims, Fields, Json, TransferClaim, Turn } from './provider-fact.js';
import { storableJson, type Note, type Omission } from './storable-json.js';

/** Limits per document. Real documents stay far below (docs/providers.md). */
export const BOUNDS = {
  turns: 50_000,
  /** Agents named in turns and transfers, besides the conversation's own. */
  agents: 64,
  transfers: 200,
  recordings: 8,
  /** Pairs of metadata, and of variables. */
  pairs: 256,
  correlation: 32,
  /** Characters of ids, numbers and names; of keys. */
  id: 1_024,
  key: 256,
  /** Characters of a title or a reason; of a summary or a rationale. */
  line: 4_096,
  text: 65_536,
} as const;

/** 2100-01-01. A later time is an error, such as a wrong unit. */
const LAST_TIME = 4_102_444_800_000;
/** Ten years. */
const LONGEST_MS = 315_360_000_000;
/** A day. */
const LONGEST_LATENCY_MS = 86_400_000;
/** A billion, in micros. */
const HIGHEST_COST = 1e15;

/** A version is a plain column, so it must not be able to hold a sentence. */
const VERSION = /^[\w.:/+@-]{1,128}$/;

export interface Storable {
  claims: Claims;
  /** Kinds of changes and omissions, each once. */
  omitted: Omission[];
}

/** Interprets a document and sanitises its claims. Throws what `interpret` throws. */
export function storable(interpret: (document: Json) => Claims, document: Json): Storable {
  const omitted = new Set<Omission>();
  const note: Note = (what) => void omitted.add(what);
  const claims = interpret(storableJson(document, note));
  return { claims: new Sanitiser(note).claims(claims), omitted: [...omitted] };
}

/** A page of a list without conversations that cannot be requested, because their id is too long for a URL or malformed. */
export const requestable = ({ items, next }: ListPage): ListPage => ({
  items: items.filter(({ providerId: id }) => id.length <= BOUNDS.id && id.isWellFormed() && !id.includes('\0')),
  next,
});

class Sanitiser {
  private readonly agents = new Set<string>();

  constructor(private readonly note: Note) {}

  claims(claims: Claims): Claims {
    const { agent, transcript } = claims;
    return {
      ...claims,
      providerTime: this.time(claims.providerTime),
      agent: agent && this.agentOf(agent),
      fields: this.fields(claims.fields),
      transfers: this.first(claims.transfers, BOUNDS.transfers, 'transfers').map((one) => this.transfer(one)),
      recordings: this.first(claims.recordings, BOUNDS.recordings, 'recordings').filter(
        ({ source }) => this.short(source, BOUNDS.line, 'recordings') !== null,
      ),
      audio: this.first(claims.audio, BOUNDS.recordings, 'recordings'),
      transcript: transcript && {
        ...transcript,
        turns: this.first(transcript.turns, BOUNDS.turns, 'turns').map((turn) => this.turn(turn)),
        ...(transcript.turns.length > BOUNDS.turns && { truncated: true }),
      },
    };
  }

  private agentOf({ providerAgentId, name, version }: NonNullable<Claims['agent']>): Claims['agent'] {
    const id = this.short(providerAgentId, BOUNDS.id, 'agents');
    return id === null
      ? null
      : { providerAgentId: id, name: this.cut(name, BOUNDS.id), version: this.version(version) };
  }

  private fields(fields: Partial<Fields>): Partial<Fields> {
    const { cost, latency, outcome, sentiment, end, metadata, variables, correlation } = fields;
    const { collected_variables: collected } = fields;
    const kept: { [Name in keyof Fields]?: Fields[Name] | null | undefined } = {
      ...fields,
      ...this.plain(fields),
      provider_conversation_id: this.short(fields.provider_conversation_id, BOUNDS.id),
      customer_number: this.short(fields.customer_number, BOUNDS.key),
      agent_number: this.short(fields.agent_number, BOUNDS.key),
      customer_user_id: this.short(fields.customer_user_id, BOUNDS.id),
      start_time: this.time(fields.start_time),
      end_time: this.time(fields.end_time),
      duration_ms: this.whole(fields.duration_ms, LONGEST_MS, 'times'),
      title: this.cut(fields.title, BOUNDS.line),
      summary: this.cut(fields.summary, BOUNDS.text),
      end: end && { ...end, provider_reason: this.cut(end.provider_reason, BOUNDS.line) },
      outcome: outcome && { ...outcome, score: this.finite(outcome.score) },
      rationale: this.cut(fields.rationale, BOUNDS.text),
      sentiment: sentiment && { ...sentiment, score: this.finite(sentiment.score) },
      cost: cost && this.costOf(cost),
      latency: latency && {
        p50_ms: this.whole(latency.p50_ms, LONGEST_LATENCY_MS, 'times'),
        p95_ms: this.whole(latency.p95_ms, LONGEST_LATENCY_MS, 'times'),
      },
      metadata: metadata && this.pairs(metadata),
      variables: variables && this.pairs(variables),
      collected_variables: collected && this.pairs(collected),
      correlation: correlation && this.correlation(correlation),
    };
    return Object.fromEntries(Object.entries(kept).filter(([, value]) => value !== null && value !== undefined));
  }

  private plain(fields: Partial<Fields>): PlainValues {
    return plainValues((name) => this.ofKind(PLAIN_KINDS[name], fields[name]));
  }

  private ofKind<Value>({ stored, omission }: PlainKind<Value>, given: Value | undefined): Value | null {
    return given === undefined ? null : this.noted(stored(given), omission);
  }

  private costOf({ amount_micros: amount, currency }: Fields['cost']): Fields['cost'] | null {
    const micros = this.whole(amount, HIGHEST_COST, 'numbers');
    return micros === null ? null : { amount_micros: micros, currency };
  }

  private pairs(map: { [key: string]: Json }): { [key: string]: Json } {
    const entries = Object.entries(map);
    const fitting = entries.filter(([key]) => key.length <= BOUNDS.key).slice(0, BOUNDS.pairs);
    if (fitting.length === entries.length) return map;
    this.note('metadata');
    return Object.fromEntries(fitting);
  }

  private correlation(pairs: Fields['correlation']): Fields['correlation'] {
    return this.first(pairs, BOUNDS.correlation, 'correlation').filter(
      ({ namespace, value }) =>
        this.short(namespace, BOUNDS.key, 'correlation') !== null &&
        this.short(value, BOUNDS.key, 'correlation') !== null,
    );
  }

  private transfer({ target, at, ...rest }: TransferClaim): TransferClaim {
    const value = target.type === 'agent' ? this.named(target.value) : this.short(target.value, BOUNDS.id);
    const id = rest.id && rest.id.slice(0, BOUNDS.key).toWellFormed();
    return { ...rest, id, target: { ...target, value }, at: this.time(at) };
  }

  private turn(turn: Turn): Turn {
    const { tool } = turn;
    return {
      ...turn,
      start_ms: this.whole(turn.start_ms, LONGEST_MS, 'times'),
      end_ms: this.whole(turn.end_ms, LONGEST_MS, 'times'),
      agent_id: this.named(turn.agent_id),
      latency_ms: this.whole(turn.latency_ms, LONGEST_LATENCY_MS, 'times'),
      tool: tool && {
        ...tool,
        // Checked here because mappers parse texts that contain JSON.
        arguments: storableJson(tool.arguments, this.note),
        result: storableJson(tool.result, this.note),
        latency_ms: this.whole(tool.latency_ms, LONGEST_LATENCY_MS, 'times'),
      },
    };
  }

  /** The id of another agent; null once there are too many. */
  private named(providerAgentId: string | null): string | null {
    if (providerAgentId === null || this.agents.has(providerAgentId)) return providerAgentId;
    if (this.agents.size >= BOUNDS.agents) this.note('agents');
    if (this.agents.size >= BOUNDS.agents || this.short(providerAgentId, BOUNDS.id, 'agents') === null) return null;
    this.agents.add(providerAgentId);
    return providerAgentId;
  }

  private first<Item>(items: Item[], most: number, what: Omission): Item[] {
    if (items.length <= most) return items;
    this.note(what);
    return items.slice(0, most);
  }

  /** Null if the text is too long: an id cannot be cut. */
  private short(text: string | null | undefined, most: number, what: Omission = 'texts'): string | null {
    if (text === null || text === undefined || text.length <= most) return text ?? null;
    this.note(what);
    return null;
  }

  private cut(text: string | null | undefined, most: number): string | null {
    if (text === null || text === undefined || text.length <= most) return text ?? null;
    this.note('texts');
    return text.slice(0, most).toWellFormed();
  }

  private time(at: number | null | undefined): number | null {
    return this.whole(at, LAST_TIME, 'times');
  }

  /** A whole number from 0 to `most`; fractions are rounded, anything else gives null. */
  private whole(value: number | null | undefined, most: number, what: Omission): number | null {
    if (value === null || value === undefined) return null;
    return this.noted(wholeUpTo(most, value), what);
  }

  private finite(value: number | null): number | null {
    return value === null ? null : this.noted(exactNumber(value), 'numbers');
  }

  private version(given: string | null): string | null {
    return given === null ? null : this.noted(VERSION.test(given) ? given : null, 'texts');
  }

  /** Notes an omission if there is nothing to store. */
  private noted<Value>(stored: Value | null, what: Omission): Value | null {
    if (stored === null) this.note(what);
    return stored;
  }
}
