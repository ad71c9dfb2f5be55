// Generates Retell call documents from a seed: realistic structure and word frequencies, about 290 bytes per turn.
import { Random } from '../simulators/random.js';

const WORDS = `the to you and is a of it that for on your have we can be with this are my just so not was order account
number please thank right will check me like would know at call do what get one yes okay moment help date card name email
address delivery invoice refund payment monday tuesday confirm appointment cancel change system see here there our back
because about morning update problem device service line plan month charge technician warranty replacement reference`.split(
  /\s+/,
);

interface CallOptions {
  callId: string;
  turns: number;
  recordingUrl?: string | undefined;
}

export type CallDocument = Record<string, unknown>;

/** Squaring the random index approximates Zipf's law, so that the text compresses like speech. */
function sentence(random: Random): string {
  const length = random.integer(6, 26);
  const words = Array.from({ length }, () => WORDS[Math.floor(random.next() ** 2 * WORDS.length)] ?? '');
  return `${words.join(' ')}.`;
}

/** `count` transcript entries, alternately user and agent, 4 s each. */
function transcriptOf(callId: string, count: number): object[] {
  const random = new Random(callId);
  return Array.from({ length: count }, (_, index) => ({
    role: index % 2 === 0 ? 'agent' : 'user',
    content: sentence(random),
    words: [{ word: 'so', start: index * 4 + 0.1, end: index * 4 + 3.4 }],
    metadata: { response_id: index, confidence: Math.round(random.next() * 1000) / 1000 },
  }));
}

const START = 1_790_000_000_000;

function identityOf(callId: string): CallDocument {
  return {
    call_id: callId,
    call_type: 'phone_call',
    agent_id: 'agent_bench_0001',
    agent_version: 3,
    agent_name: 'Reception',
    direction: 'inbound',
    from_number: `+1415555${String(new Random(`${callId} number`).integer(1000, 9999))}`,
    to_number: '+14155550100',
    telephony_identifier: { twilio_call_sid: `CA${callId}` },
    metadata: { order: callId.slice(-6), channel: 'hotline' },
    retell_llm_dynamic_variables: { customer_name: 'Sam Rivers', plan: 'plus' },
    data_storage_setting: 'everything',
    start_timestamp: START,
  };
}

/** A live call with `turns` turns so far. */
export const liveCall = ({ callId, turns }: CallOptions): CallDocument => ({
  ...identityOf(callId),
  call_status: 'ongoing',
  transcript_object: transcriptOf(callId, turns),
});

/** A finished and analysed call; without `recordingUrl` there is no recording. */
export const endedCall = ({ callId, turns, recordingUrl }: CallOptions): CallDocument => ({
  ...identityOf(callId),
  call_status: 'ended',
  end_timestamp: START + turns * 4_000,
  duration_ms: turns * 4_000,
  disconnection_reason: 'user_hangup',
  transcript_object: transcriptOf(callId, turns),
  ...(recordingUrl === undefined ? {} : { recording_url: `${recordingUrl}/${callId}` }),
  call_cost: { combined_cost: 21.4, product_costs: [], total_duration_seconds: turns * 4 },
  latency: { e2e: { p50: 820, p90: 1200, p95: 1400, p99: 1900, min: 500, max: 2100, num: turns } },
  call_analysis: {
    call_summary: sentence(new Random(`${callId} summary`)),
    call_successful: true,
    user_sentiment: 'Positive',
    in_voicemail: false,
    custom_analysis_data: {},
  },
});

/** The bytes of a webhook about a call. */
export const webhookOf = (event: string, call: CallDocument): string => JSON.stringify({ event, call });

/** Unique ids per run and round: `bench_<round>_<number>`. */
export const callIds = (round: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `call_${round}_${String(index).padStart(6, '0')}`);
