// How a conversation ended. ElevenLabs has no enumeration: ordered rules over what it says (reference/providers.md B.3),
// the first that fits wins. What is specific comes before the bare status. Data; every rule is tested.

type Party = 'customer' | 'agent' | 'provider' | 'system' | null;

/** What a document says of its end. `tool`: the `result_type` of the last system tool that ends or hands over. */
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

/** In order. The texts come from samples of `termination_reason`: it is free text and may change at any time. */
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
  // Closing codes of the connection are errors too: only what nothing else explains.
  rule('error', /./, 'error_provider', 'provider'),
];

const UNKNOWN = { category: 'unknown', party: null } as const;

/** Category and party by the first rule that fits; `unknown` when none does. */
export function endOf(evidence: EndEvidence): { category: string; party: Party } {
  const found = END_RULES.find(({ says, pattern }) => pattern.test(evidence[says] ?? ''));
  return found === undefined ? UNKNOWN : { category: found.category, party: found.party };
}

const ENDS_OR_HANDS_OVER = /^(transfer_to_number_\w+_success|end_call_success|voicemail_detection_success)$/;

/** True for the `result_type` of a system tool after which the conversation is over. */
export const isEnding = (resultType: string | null | undefined): resultType is string =>
  ENDS_OR_HANDS_OVER.test(resultType ?? '');
