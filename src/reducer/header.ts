// Builds the header, the sealed part of a record: everything that could name or quote a person. Pure.
import { DATA_CLASSES, type ByClass } from '../common/data-class.js';
import type { Fields } from '../providers/provider-fact.js';
import { normalisePhone } from '../common/normalise.js';
import { fieldClass } from './registers.js';
import type { Header } from './record.js';

export type FieldReader = <Name extends keyof Fields>(name: Name) => Fields[Name] | null;

/** Words that carriers send instead of a withheld number. */
const WITHHELD = /^(anonymous|restricted|unknown|private|unavailable|blocked)$/i;

/** Normalises a number to E.164; null if it does not parse. */
export type NumberReader = (raw: string) => string | null;

/** A reader that parses each number once: parsing costs more than the rest of a projection. */
export function numberReader(region: string | null): NumberReader {
  const known = new Map<string, string | null>();
  return (raw) => {
    const before = known.get(raw);
    if (before !== undefined) return before;
    const number = normalisePhone(raw, region);
    known.set(raw, number);
    return number;
  };
}

function customerOf(raw: string | null, readNumber: NumberReader): Pick<Header, 'customer_number' | 'presentation'> {
  if (raw === null) return { customer_number: null, presentation: null };
  if (WITHHELD.test(raw.trim())) return { customer_number: null, presentation: 'restricted' };
  return { customer_number: readNumber(raw) ?? raw, presentation: 'allowed' };
}

interface Given extends Pick<Header, 'transfers' | 'segments'> {
  readNumber: NumberReader;
  reason: string | null | undefined;
}

/** The header from the fields that the documents claim. */
export function headerOf(field: FieldReader, { readNumber, transfers, segments, reason }: Given): Header {
  const raw = field('customer_number');
  const agentNumber = field('agent_number');
  return {
    provider_conversation_id: field('provider_conversation_id'),
    ...customerOf(raw, readNumber),
    customer_user_id: field('customer_user_id'),
    agent_number: agentNumber && (readNumber(agentNumber) ?? agentNumber),
    provider_reason: reason ?? null,
    title: field('title'),
    summary: field('summary'),
    rationale: field('rationale') || null,
    tags: [],
    metadata: field('metadata') ?? {},
    variables: field('variables') ?? {},
    collected_variables: field('collected_variables') ?? {},
    correlation: field('correlation') ?? [],
    segments,
    transfers,
  };
}

/** A header as it is stored: the members of each class by themselves. */
export interface HeaderParts extends ByClass<Partial<Header>> {
  record: Partial<Header>;
}

/** Of parts that are absent. */
const NOTHING = { title: null, summary: null, rationale: null, collected_variables: {} } satisfies Partial<Header>;

/** Parts without content are absent, but for the record's. */
export function headerParts(header: Header): HeaderParts {
  const parts: HeaderParts = { record: {} };
  for (const dataClass of DATA_CLASSES) {
    const members = Object.entries(header).filter(([name]) => fieldClass(name) === dataClass);
    if (dataClass === 'record' || members.some(([, value]) => !isEmpty(value)))
      parts[dataClass] = Object.fromEntries(members);
  }
  return parts;
}

const isEmpty = (value: unknown): boolean =>
  value === null || (typeof value === 'object' && Object.keys(value as object).length === 0);

/** The header that these are parts of; empty where a part is absent. */
export const joinHeader = ({ record, ...others }: HeaderParts): Header =>
  ({ ...NOTHING, ...record, ...Object.assign({}, ...Object.values(others)) }) as Header;
