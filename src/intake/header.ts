// The sealed half of a record: everything that could name or quote a person. Pure.
import type { Fields } from '../providers/provider-fact.js';
import { normalisePhone } from '../vault/normalise.js';
import type { Header } from './record.js';

export type FieldReader = <Name extends keyof Fields>(name: Name) => Fields[Name] | null;

/** Words that carriers put where a number was withheld (reference/providers.md 8.2). */
const WITHHELD = /^(anonymous|restricted|unknown|private|unavailable|blocked)$/i;

function customerOf(raw: string | null, region: string | null): Pick<Header, 'customer_number' | 'presentation'> {
  if (raw === null) return { customer_number: null, presentation: null };
  if (WITHHELD.test(raw.trim())) return { customer_number: null, presentation: 'restricted' };
  return { customer_number: normalisePhone(raw, region) ?? raw, presentation: 'allowed' };
}

interface HeaderParts extends Pick<Header, 'transfers' | 'segments'> {
  region: string | null;
  reason: string | null | undefined;
}

/** The sealed half of a record. */
export function headerOf(field: FieldReader, { region, transfers, segments, reason }: HeaderParts): Header {
  const raw = field('customer_number');
  const agentNumber = field('agent_number');
  return {
    provider_conversation_id: field('provider_conversation_id'),
    ...customerOf(raw, region),
    customer_user_id: field('customer_user_id'),
    agent_number: agentNumber && (normalisePhone(agentNumber, region) ?? agentNumber),
    provider_reason: reason ?? null,
    title: field('title'),
    summary: field('summary'),
    rationale: field('outcome')?.rationale ?? null,
    tags: [],
    metadata: field('metadata') ?? {},
    variables: field('variables') ?? {},
    correlation: field('correlation') ?? [],
    segments,
    transfers,
  };
}
