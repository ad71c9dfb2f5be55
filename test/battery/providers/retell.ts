import { transcriptFields, webhookBody, startRetellSimulator } from '../../../simulators/retell/index.js';
import { completeCall, type RetellCall, type RetellSimulator } from '../../../simulators/retell/index.js';
import { recordingOf } from '../../../simulators/retell/recordings.js';
import { scenarioOf } from '../../../simulators/retell/scenarios.js';
import { spokenUntil } from '../../../simulators/retell/speech.js';
import { signatureHeaders } from '../../../simulators/retell/webhooks.js';
import { postOnce } from '../../../simulators/post.js';
import type { BatteryProvider, Episode, Expected, Webhook } from './provider.js';

/** With this setting GET returns neither transcripts nor links to recordings. */
const WEBHOOK_ONLY = 'basic_attributes_only';

class BatteryRetell implements BatteryProvider {
  readonly name = 'retell';
  readonly account: BatteryProvider['account'];

  constructor(private readonly simulator: RetellSimulator) {
    this.account = { api_key: simulator.apiKey, base_url: simulator.baseUrl };
  }

  async live(episode: Episode): Promise<void> {
    const { seed, isWebhookOnly, pause } = episode;
    const fields = { ...scenarioOf(seed), data_storage_setting: isWebhookOnly ? WEBHOOK_ONLY : 'everything' };
    const whole = completeCall(seed, fields, { baseUrl: this.simulator.baseUrl });
    const isConnected = whole.start_timestamp !== undefined;
    const callId = isConnected ? await this.talk(episode, fields, whole) : this.ring(seed, fields);
    this.tell(episode, 'call_ended', callId);
    await pause(200, 2_500);
    this.simulator.analyze(callId);
    this.tell(episode, 'call_analyzed', callId);
  }

  /** From start to end, with two webhooks of the transcript so far. */
  private async talk(episode: Episode, fields: object, whole: RetellCall): Promise<string> {
    const { seed, pause } = episode;
    const plan = { ...fields, direction: whole.direction, disconnection_reason: undefined };
    const begun = this.simulator.addCall({ ...plan, call_status: 'ongoing' }, seed);
    this.tell(episode, 'call_started', begun.call_id);
    for (const share of [0.3, 0.7]) {
      await pause(100, 1_500);
      const soFar = spokenUntil(whole.transcript_with_tool_calls ?? [], (whole.duration_ms ?? 0) * share);
      const body = webhookBody('transcript_updated', { ...begun, ...transcriptFields(soFar) });
      episode.tell({ providerId: begun.call_id, event: 'transcript_updated', body });
    }
    await pause(100, 1_500);
    this.simulator.endCall(begun.call_id, { ...fields });
    return begun.call_id;
  }

  /** Nobody answers: there is no record before the end. */
  private ring(seed: string, fields: object): string {
    return this.simulator.addCompleteCall({ ...fields, call_analysis: undefined }, seed).call_id;
  }

  private tell({ tell }: Episode, event: string, providerId: string): void {
    tell({ providerId, event, body: this.simulator.webhookBody(event, providerId) });
  }

  async send(url: string, { body }: Webhook): Promise<boolean> {
    const { status } = await this.simulator.sender.send(url, body);
    return status >= 200 && status < 300;
  }

  sendOnce(url: string, { body }: Webhook): Promise<number> {
    return postOnce(url, body, { headers: signatureHeaders(this.simulator.sign(body)) });
  }

  finished(seed: string): Webhook {
    const { call_id: providerId } = this.simulator.addCompleteCall({}, seed);
    return { providerId, event: 'call_analyzed', body: this.simulator.webhookBody('call_analyzed', providerId) };
  }

  expected(providerId: string, accepted: ReadonlySet<string>): Expected {
    const call = this.simulator.calls.get(providerId);
    if (call === undefined) throw new RangeError('no such call');
    const isKept = call.data_storage_setting !== WEBHOOK_ONLY;
    const isRequired = isKept || accepted.has('call_ended') || accepted.has('call_analyzed');
    return {
      isRequired: { words: isRequired, recording: isRequired },
      spoken: (call.transcript_object ?? []).flatMap((item) => ('words' in item ? [item.content] : [])),
      summary: call.call_analysis?.call_summary ?? null,
      recording: call.recording_url === undefined ? null : recordingOf(call, false),
    };
  }

  /** A call that never connected has no start time at Retell, so a filter by time does not find it. */
  listed(): string[] {
    const begun = this.simulator.calls.heads().filter(({ head }) => head.start_timestamp !== undefined);
    return begun.map(({ head }) => head.call_id);
  }

  close(): Promise<void> {
    return this.simulator.close();
  }
}

export const startRetell = async (): Promise<BatteryProvider> =>
  new BatteryRetell(await startRetellSimulator({ apiKey: 'key_battery' }));
