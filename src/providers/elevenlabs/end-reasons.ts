// How a conversation ended. ElevenLabs has no enumeration of reasons, so ordered rules match its texts: the first match wins, and
// specific texts come before the bare status. Data; every rule is tested.

type Party = 'customer' | 'agent' | 'provider' | 'system' | null;

/** What a document says about the end. `tool`: the `result_type` of the last system tool that ends or transfers. */
export interface EndEvidence {
  failure_reason?: string | null;
  call_result?: string | null;
  status?: string | null;
  tool?: string | null;
  text?: string | null;
  error?: string | null;
}

interface EndRule {
  says: keyof EndEvidence;
  pattern: RegExp;
  category: string;
  party: Party;
}

const rule = (says: keyof EndEvidence, pattern: RegExp, category: string, party: Party): EndRule => ({
  says,
  pattern,
  category,
  party,
});

/** In order of priority. `termination_reason` is free text that may change at any time; the patterns come from samples. */
export const END_RULES: readonly EndRule[] = [
  rule('failure_reason', /^busy$/i, 'busy', 'customer'),
  rule('failure_reason', /^no[-_]answer$/i, 'no_answer', 'customer'),
  rule('failure_reason', /./, 'unreachable', 'provider'),
  rule('call_result', /^voicemail$/i, 'voicemail', 'agent'),
  rule('call_result', /^busy$/i, 'busy', 'customer'),
  rule('call_result', /^no[-_]answer$/i, 'no_answer', 'customer'),
  rule('call_result', /^failed$/i, 'unreachable', 'provider'),
  rule('status', /^failed$/i, 'error_provider', 'provider'),
  rule('tool', /^transfer_to_number_\w+_success$/, 'transferred', 'agent'),
  rule('tool', /^end_call_success$/, 'agent_hangup', 'agent'),
  rule('tool', /^voicemail_detection_success$/, 'voicemail', 'agent'),
  rule('text', /remote party|client disconnected/i, 'customer_hangup', 'customer'),
  rule('text', /end_call tool/i, 'agent_hangup', 'agent'),
  rule('text', /max(imum)? duration/i, 'max_duration', 'system'),
  rule('text', /silence|inactivity/i, 'silence', 'system'),
  // Close codes of the connection are errors too, so this applies only if nothing else explains the end.
  rule('error', /./, 'error_provider', 'provider'),
];

const UNKNOWN = { category: 'unknown', party: null } as const;

/** Category and party by the first matching rule; `unknown` if none matches. */
export function endOf(evidence: EndEvidence): { category: string; party: Party } {
  const found = END_RULES.find(({ says, pattern }) => pattern.test(evidence[says] ?? ''));
  return found === undefined ? UNKNOWN : { category: found.category, party: found.party };
}

const ENDS_OR_TRANSFERS = /^(transfer_to_number_\w+_success|end_call_success|voicemail_detection_success)$/;

/** Whether the conversation is over after a system tool with this `result_type`. */
export const isEnding = (resultType: string | null | undefined): resultType is string =>
  ENDS_OR_TRANSFERS.test(resultType ?? '');
