// What a document says about the end: how the conversation ended, whether it ever connected, which parts will never come. Pure.
import type { Claims, Fields } from '../provider-fact.js';
import { endOf, isEnding } from './end-reasons.js';
import type { ElevenLabsConversation } from './payload.js';

export type Source = 'webhook' | 'record';

const NEVER_CONNECTED = new Set(['busy', 'no_answer', 'no-answer', 'failed']);

/** Nobody answered, or it failed before anything was said: no audio, transcript or analysis will come. */
export function neverConnected({ status, metadata, transcript }: ElevenLabsConversation): boolean {
  if (NEVER_CONNECTED.has(metadata?.phone_call?.call_result ?? '')) return true;
  return status === 'failed' && metadata?.call_duration_secs === 0 && transcript?.length === 0;
}

/** Undefined if the document does not contain it: under zero retention GET returns less than the webhook. */
export function endFieldOf({ status, metadata, transcript }: ElevenLabsConversation): Fields['end'] | undefined {
  const results = (transcript ?? []).flatMap((item) => item.tool_results ?? []);
  const text = metadata?.termination_reason;
  const callResult = metadata?.phone_call?.call_result;
  const tool = results.map(({ result }) => result?.result_type).findLast(isEnding);
  const { code, reason: errorReason } = metadata?.error ?? {};
  // The code alone only says that there was an error, so it is the last choice for a reason.
  const error = errorReason || (typeof code === 'number' ? String(code) : null);
  const end = endOf({ call_result: callResult, status, tool, text, error });
  const result = callResult === 'answered' ? null : callResult;
  const reason = mostSpecific({ text, errorReason, result, tool, code: error, failed: status === 'failed' });
  return end.category === 'unknown' && reason === null ? undefined : { ...end, provider_reason: reason };
}

interface EndTexts {
  text: string | null | undefined;
  errorReason: string | null | undefined;
  result: string | null | undefined;
  tool: string | undefined;
  code: string | null;
  failed: boolean;
}

/** Says that something went wrong, but not what. */
const BARE = /^(error|failed|failure|unknown)$/i;

/**
 * One of the provider's texts, verbatim: its sentence, unless that is a bare "Error". Every connection closes with some error, so
 * the error's reason comes before the sentence only if the conversation failed.
 */
function mostSpecific({ text, errorReason, result, tool, code, failed }: EndTexts): string | null {
  const sentence = BARE.test(text ?? '') ? null : text;
  const texts = failed ? [errorReason, sentence] : [sentence, errorReason];
  return [...texts, result, tool, text, code].find((candidate) => candidate) || null;
}

/** The provider stores nothing: its webhook is authoritative, and its record contains less. */
export function hasZeroRetention({ metadata }: ElevenLabsConversation): boolean {
  const usage = metadata?.features_usage;
  return usage?.pii_zrm_agent === true || usage?.pii_zrm_workspace === true;
}

/**
 * Parts that do not exist according to the final document. GET is authoritative, except under zero retention, where it returns
 * less than the webhook: then the webhook is.
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
