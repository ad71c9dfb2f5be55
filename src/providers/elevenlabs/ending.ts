// What a document says of the end of its conversation: how it ended, whether it ever began, what will never come. Pure.
import type { Claims, Fields } from '../provider-fact.js';
import { endOf, isEnding } from './end-reasons.js';
import type { ElevenLabsConversation } from './payload.js';

export type Source = 'webhook' | 'record';

const NEVER_CONNECTED = new Set(['busy', 'no_answer', 'no-answer', 'failed']);

/** Nobody answered, or it failed before anything was said: no audio, no words and no analysis will come. */
export function neverConnected({ status, metadata, transcript }: ElevenLabsConversation): boolean {
  if (NEVER_CONNECTED.has(metadata?.phone_call?.call_result ?? '')) return true;
  return status === 'failed' && metadata?.call_duration_secs === 0 && transcript?.length === 0;
}

/** Not claimed where the document says nothing of it: under zero retention GET knows less than the webhook did. */
export function endFieldOf({ status, metadata, transcript }: ElevenLabsConversation): Fields['end'] | undefined {
  const results = (transcript ?? []).flatMap((item) => item.tool_results ?? []);
  const text = metadata?.termination_reason;
  const callResult = metadata?.phone_call?.call_result;
  const tool = results.map(({ result }) => result?.result_type).findLast(isEnding);
  const { code, reason: errorReason } = metadata?.error ?? {};
  // Their number says that there was an error, and is the last thing to quote.
  const error = errorReason || (typeof code === 'number' ? String(code) : null);
  const end = endOf({ call_result: callResult, status, tool, text, error });
  const result = callResult === 'answered' ? null : callResult;
  const reason = mostSpecific({ text, errorReason, result, tool, code: error, failed: status === 'failed' });
  return end.category === 'unknown' && reason === null ? undefined : { ...end, provider_reason: reason };
}

interface SaidOfTheEnd {
  text: string | null | undefined;
  errorReason: string | null | undefined;
  result: string | null | undefined;
  tool: string | undefined;
  code: string | null;
  failed: boolean;
}

/** Says that something went wrong and not what. */
const BARE = /^(error|failed|failure|unknown)$/i;

/**
 * One text of theirs, as they wrote it. Their sentence is the most specific, apart from a bare "Error". Every connection
 * closes with some error, so its reason comes before the sentence only where the conversation failed.
 */
function mostSpecific({ text, errorReason, result, tool, code, failed }: SaidOfTheEnd): string | null {
  const sentence = BARE.test(text ?? '') ? null : text;
  const texts = failed ? [errorReason, sentence] : [sentence, errorReason];
  return [...texts, result, tool, text, code].find((said) => said) || null;
}

/** Nothing is kept at the provider: its webhook is the only truth, and its record knows less. */
export function hasZeroRetention({ metadata }: ElevenLabsConversation): boolean {
  const usage = metadata?.features_usage;
  return usage?.pii_zrm_agent === true || usage?.pii_zrm_workspace === true;
}

/**
 * What the final document says is not there is not waited for. The truth is GET; under zero retention it is the webhook,
 * and GET has less: then only the webhook's word counts.
 */
export function deniedOf(conversation: ElevenLabsConversation, source: Source): Claims['denied'] {
  const isZeroRetention = hasZeroRetention(conversation);
  if (source !== (isZeroRetention ? 'webhook' : 'record')) return [];
  const deleted = conversation.metadata?.deletion_settings;
  const reason = (deletedAt: number | null | undefined, otherwise: string): string =>
    deletedAt ? 'deleted_at_provider' : isZeroRetention ? 'zero_retention' : otherwise;
  const denied: Claims['denied'] = [];
  if (conversation.has_audio === false) {
    denied.push({ part: 'audio', reason: reason(deleted?.deleted_audio_at_time_unix_secs, 'not_recorded') });
  }
  if (conversation.transcript?.length === 0) {
    denied.push({ part: 'transcript', reason: reason(deleted?.deleted_transcript_at_time_unix_secs, 'empty') });
  }
  if (!conversation.analysis) denied.push({ part: 'analysis', reason: 'not_analysed' });
  return denied;
}
