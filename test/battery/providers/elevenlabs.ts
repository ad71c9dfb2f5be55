import { startElevenLabsSimulator, type ElevenLabsSimulator } from '../../../simulators/elevenlabs/index.js';
import { endOf } from '../../../simulators/elevenlabs/outcomes.js';
import { recordingOf } from '../../../simulators/elevenlabs/recording.js';
import { scenarioOf } from '../../../simulators/elevenlabs/scenarios.js';
import { isZeroRetention } from '../../../simulators/elevenlabs/view.js';
import type { BatteryProvider, Episode, Expected, Webhook } from './provider.js';

class BatteryElevenLabs implements BatteryProvider {
  readonly name = 'elevenlabs';
  readonly account: BatteryProvider['account'];

  constructor(private readonly simulator: ElevenLabsSimulator) {
    const { apiKey, webhookSecret, baseUrl } = simulator;
    this.account = { api_key: apiKey, webhook_secret: webhookSecret, base_url: baseUrl };
  }

  /** ElevenLabs sends no webhook at the start. */
  async live(episode: Episode): Promise<void> {
    const { seed, isWebhookOnly, pause } = episode;
    const scenario = { ...scenarioOf(seed), zeroRetention: isWebhookOnly };
    if (!endOf(scenario.outcome ?? 'customer_hangup').connected) {
      const { conversation_id: id } = this.simulator.addCompleteConversation({}, { ...scenario, seed });
      return this.tell(episode, 'call_initiation_failure', id);
    }
    const { conversation_id: id } = this.simulator.addConversation({}, { ...scenario, seed });
    await pause(500, 4_000);
    this.simulator.endConversation(id);
    await pause(200, 2_500);
    const { has_audio: hasAudio } = this.simulator.finish(id);
    this.tell(episode, 'post_call_transcription', id);
    if (hasAudio) this.tell(episode, 'post_call_audio', id);
  }

  private tell({ tell }: Episode, event: string, providerId: string): void {
    tell({ providerId, event, body: this.simulator.webhookBody(event, providerId) });
  }

  async send(url: string, { event, body }: Webhook): Promise<boolean> {
    return (await this.simulator.sender.send(url, event, body)).status === 200;
  }

  sendOnce(url: string, { event, body, providerId }: Webhook): Promise<number> {
    return this.simulator.deliver(url, event, providerId, { body });
  }

  finished(seed: string): Webhook {
    const event = 'post_call_transcription';
    const { conversation_id: providerId } = this.simulator.addCompleteConversation({}, { seed });
    return { providerId, event, body: this.simulator.webhookBody(event, providerId) };
  }

  expected(providerId: string, accepted: ReadonlySet<string>): Expected {
    const conversation = this.simulator.conversations.get(providerId);
    if (conversation === undefined) throw new RangeError('no such conversation');
    const summary = conversation.analysis?.['transcript_summary'];
    const isKept = !isZeroRetention(conversation);
    return {
      isRequired: {
        words: isKept || accepted.has('post_call_transcription'),
        recording: isKept || accepted.has('post_call_audio'),
      },
      spoken: conversation.transcript.flatMap(({ message }) => (message === null ? [] : [message])),
      summary: typeof summary === 'string' ? summary : null,
      recording: conversation.has_audio ? recordingOf(conversation) : null,
    };
  }

  listed(): string[] {
    return this.simulator.conversations.heads().map(({ head }) => head.conversation_id);
  }

  close(): Promise<void> {
    return this.simulator.close();
  }
}

/** 30 s, 2 min and 8 min, a hundred times faster; the fourth retry, after half an hour, would delay everything. */
const RETRY_DELAYS_MS = [300, 1_200, 4_800];

export const startElevenLabs = async (): Promise<BatteryProvider> =>
  new BatteryElevenLabs(
    await startElevenLabsSimulator({
      apiKey: 'xi_battery',
      webhookSecret: 'wsec_battery',
      webhooks: { retries: true, retryDelaysMs: RETRY_DELAYS_MS },
    }),
  );
