// What Retell's API returns for a call at a given time.
import { RECORDING_FIELDS, TRANSCRIPT_FIELDS, type RetellCall } from './call.js';
import type { Oddity } from '../faults.js';
import { omit } from '../records.js';
import type { CallNotes } from './calls.js';
import { signedUrl } from './recordings.js';

const HIDDEN_BY_STORAGE: Record<string, readonly string[]> = {
  basic_attributes_only: [...TRANSCRIPT_FIELDS, ...RECORDING_FIELDS],
  everything_except_pii: [
    'transcript',
    'transcript_object',
    'transcript_with_tool_calls',
    'recording_url',
    'recording_multi_channel_url',
  ],
};

/** A call as visible at `nowMs`: no analysis before it is due, no end of a transfer that is still active. */
export function knownAt(call: RetellCall, notes: Pick<CallNotes, 'analysisFromMs'>, nowMs: number): RetellCall {
  const isAnalysisDue = notes.analysisFromMs === undefined || nowMs >= notes.analysisFromMs;
  const isTransferOver = (call.transfer_end_timestamp ?? 0) <= nowMs;
  return omit(call, [
    ...(isAnalysisDue ? [] : ['call_analysis']),
    ...(isTransferOver ? [] : ['transfer_end_timestamp']),
  ]);
}

/** The call with newly signed recording links, if it has `opt_in_signed_url`. */
export function withSignedLinks(call: RetellCall, nowMs: number, secret: string): RetellCall {
  if (call.opt_in_signed_url !== true) return call;
  const copy = { ...call };
  for (const field of RECORDING_FIELDS) {
    const url = copy[field];
    if (typeof url === 'string' && URL.canParse(url)) copy[field] = signedUrl(url, nowMs, secret);
  }
  return copy;
}

/** What is stored of a finished call, by its `data_storage_setting`. */
export function asStored(call: RetellCall): RetellCall {
  const hidden = call.call_status === 'ongoing' ? undefined : HIDDEN_BY_STORAGE[call.data_storage_setting ?? ''];
  return hidden ? omit(call, hidden) : call;
}

/** A copy with fields, values and nulls that no client expects. */
export function oddCall(call: RetellCall, oddities: readonly Oddity[]): RetellCall {
  if (oddities.length === 0) return call;
  const { call_analysis: analysis, disconnection_reason: reason } = call;
  return {
    ...call,
    ...(oddities.includes('unknown_field') ? { x_new_field: { nested: [1, null] } } : {}),
    ...(oddities.includes('unknown_value') && reason !== undefined ? { disconnection_reason: 'swept_away' } : {}),
    ...(oddities.includes('null')
      ? { metadata: null, call_analysis: analysis && { ...analysis, call_summary: null } }
      : {}),
  } as RetellCall;
}
