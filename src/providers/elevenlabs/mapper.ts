// ElevenLabs' conversation document → claims. GET and webhook contain the same document. Pure.
import type { Claims, Fields, Json, LiveStatus } from '../provider-fact.js';
import { compact } from '../provider-mapping.js';
import { deniedOf, endFieldOf, hasZeroRetention, neverConnected, type Source } from './ending.js';
import { latencyOf } from './latency.js';
import { contactOf, correlationOf } from './contact.js';
import { MAPPING_VERSION } from './mapping-version.js';
import { conversation as schema, type ElevenLabsConversation } from './payload.js';
import { isSecretVariable, withoutSecrets } from './secrets.js';
import { toTurns } from './transcript.js';
import { transfersOf } from './transfers.js';

const LIVE = new Map<string, LiveStatus>([
  ['initiated', 'ringing'],
  ['in-progress', 'active'],
]);
/** Ended but still being analysed: the document is not final. */
const PROCESSING = 'processing';
/** Claims of a conversation document. In a webhook the conversation has always ended, whatever its status says. */
export function claimsOfConversation(document: Json, source: Source): Claims {
  const conversation = schema.parse(document);
  const status = conversation.status ?? '';
  const hasEnded = source === 'webhook' || status === PROCESSING || status === 'done' || status === 'failed';
  const isFinal = hasEnded && status !== PROCESSING;
  const analysed = conversation.analysis !== null && conversation.analysis !== undefined;
  const items = conversation.transcript ?? [];
  const turns = toTurns(items);
  const startMs = startOf(conversation);
  const fields = fieldsOf(conversation, { hasEnded, isFinal });
  return {
    mappingVersion: MAPPING_VERSION,
    kind: 'conversation',
    phase: !hasEnded ? 2 : analysed || (source === 'webhook' && hasZeroRetention(conversation)) ? 4 : 3,
    providerTime: fields.end_time ?? startMs,
    // An unknown status means that the conversation is still live.
    live: hasEnded ? null : (LIVE.get(status) ?? 'active'),
    ended: hasEnded ? { failed: status === 'failed', neverConnected: neverConnected(conversation) } : null,
    agent: agentOf(conversation),
    fields,
    transfers: transfersOf(items, startMs),
    recordings:
      hasEnded && conversation.has_audio === true ? [{ variant: 'mixed', source: conversation.conversation_id }] : [],
    audio: [],
    transcript: turns.length === 0 ? null : { turns, final: hasEnded },
    analysed,
    denied: isFinal ? deniedOf(conversation, source) : [],
    record: withoutSecrets(document),
  };
}

/** The provider sends 0 until the conversation has begun. */
const startOf = ({ metadata }: ElevenLabsConversation): number | null =>
  metadata?.start_time_unix_secs ? metadata.start_time_unix_secs * 1000 : null;

/** One agent may run in several environments, branches and versions; `version` joins those that are given. */
function agentOf(conversation: ElevenLabsConversation): Claims['agent'] {
  const { agent_id: id, agent_name: name, environment, branch_id: branch, version_id: version } = conversation;
  if (!id) return null;
  const parts = [environment, branch, version].filter((part) => part);
  return { providerAgentId: id, name: name ?? null, version: parts.length === 0 ? null : parts.join('/') };
}

interface Progress {
  hasEnded: boolean;
  isFinal: boolean;
}

function fieldsOf(conversation: ElevenLabsConversation, { hasEnded, isFinal }: Progress): Partial<Fields> {
  const { metadata, analysis, conversation_initiation_client_data: client } = conversation;
  const start = startOf(conversation);
  const seconds = metadata?.call_duration_secs;
  // 0 while the conversation runs, and possibly for a moment after.
  const isMeasured = hasEnded && typeof seconds === 'number' && (isFinal || seconds > 0);
  const duration = isMeasured ? Math.round(seconds * 1000) : undefined;
  const cost = metadata?.cost_fiat;
  return compact({
    provider_conversation_id: conversation.conversation_id,
    ...(metadata && contactOf(metadata)),
    customer_user_id: conversation.user_id || client?.user_id,
    start_time: start,
    end_time: start !== null && duration !== undefined ? start + duration : undefined,
    duration_ms: duration,
    end: hasEnded ? endFieldOf(conversation) : undefined,
    outcome: analysis?.call_successful ? outcomeOf(analysis) : undefined,
    rationale: analysis?.call_successful ? rationaleOf(analysis) : undefined,
    title: analysis?.call_summary_title,
    summary: analysis?.transcript_summary,
    language: metadata?.main_language,
    cost: isFinal && typeof cost === 'number' ? { amount_micros: Math.round(cost * 1e6), currency: 'USD' } : undefined,
    latency: latencyOf(conversation.transcript ?? []),
    variables: variablesOf(client?.dynamic_variables),
    correlation: metadata ? correlationOf(metadata, client?.dynamic_variables) : undefined,
  });
}

const OUTCOMES = ['success', 'failure'] as const;

type Analysis = NonNullable<ElevenLabsConversation['analysis']>;

const outcomeOf = (analysis: Analysis): Fields['outcome'] => ({
  value: OUTCOMES.find((value) => value === analysis.call_successful) ?? 'unknown',
  score: analysis.call_success_score ?? null,
});

/** What each criterion came to, and why. */
function rationaleOf(analysis: Analysis): string {
  const criteria = Object.entries(analysis.evaluation_criteria_results ?? {}).map(
    ([id, given]) => `${id}: ${given?.result ?? 'unknown'}${given?.rationale ? `, ${given.rationale}` : ''}`,
  );
  return criteria.join('\n');
}

function variablesOf(given: { [key: string]: Json } | null | undefined): Fields['variables'] | undefined {
  if (!given) return undefined;
  return Object.fromEntries(Object.entries(given).filter(([name]) => !isSecretVariable(name)));
}
