import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startElevenLabsSimulator, type ElevenLabsSimulator } from '../../simulators/elevenlabs/index.js';
import { publicId } from '../../src/common/ids.js';
import { eventually } from '../support/eventually.js';
import { install, type Installation } from '../support/installation.js';
import type { StoredConversation } from '../support/stored-conversation.js';

let colloquy: Installation;
let elevenlabs: ElevenLabsSimulator;
let accountId: string;

beforeAll(async () => {
  colloquy = await install();
  elevenlabs = await startElevenLabsSimulator({ apiKey: 'xi_test', webhookSecret: 'wsec_test' });
  colloquy.allow(elevenlabs.baseUrl);
  accountId = await colloquy.addAccount({
    provider: 'elevenlabs',
    api_key: elevenlabs.apiKey,
    webhook_secret: elevenlabs.webhookSecret,
    base_url: elevenlabs.baseUrl,
    deadlines: { analysis: 20, transcript: 20, audio: 20 },
  });
  await colloquy.startWorker();
});
afterAll(async () => {
  await colloquy.close();
  await elevenlabs.close();
});

/** Sends a webhook as ElevenLabs does: real body, real signature, real webhook door. */
async function send(type: string, id: string): Promise<void> {
  const body = elevenlabs.webhookBody(type, id);
  const headers = { 'elevenlabs-signature': elevenlabs.sign(body) };
  const request = { rawBody: Buffer.from(body), headers };
  const { result } = await colloquy.door.receive(publicId('providerAccount', accountId), request);
  expect(result).toBe('stored');
}

const found = (providerId: string, fits: (conversation: StoredConversation) => boolean): Promise<StoredConversation> =>
  colloquy.conversationOf({ accountId, kind: 'conversation', providerId }, fits);

const settled = (id: string): Promise<StoredConversation> =>
  found(id, ({ record_state: state }) => state === 'settled');

const audioRequests = (id: string): number =>
  elevenlabs.requests.filter(({ path }) => path.startsWith(`/v1/convai/conversations/${id}/audio`)).length;

describe.concurrent('an ElevenLabs conversation', () => {
  it('settles with transcript, analysis and the recording of the audio endpoint, if only its transcription webhook arrives', async () => {
    const { conversation_id: id } = elevenlabs.addCompleteConversation({}, { seed: 'plain' });
    await send('post_call_transcription', id);
    const conversation = await settled(id);
    expect(conversation).toMatchObject({
      status: 'completed',
      channel: 'phone',
      direction: 'inbound',
      end_category: 'customer_hangup',
      end_party: 'customer',
      transcript_state: 'present',
      audio_state: 'present',
      analysis_state: 'present',
    });
    expect(await colloquy.store.recordings(conversation.id)).toMatchObject([{ variant: 'mixed' }]);
    expect(await colloquy.store.header(conversation)).toMatchObject({
      provider_conversation_id: id,
      customer_number: expect.stringMatching(/^\+/),
      correlation: [{ namespace: 'twilio.call_sid' }],
      segments: [{ holder: 'agent', agent_id: expect.stringMatching(/^agt_/) }],
    });
    expect((await colloquy.store.turns(conversation.id)).length).toBe(conversation.turn_count);
  });

  it('waits while it is being analysed, and uses the record when that is done', async () => {
    const { conversation_id: id } = elevenlabs.addConversation({}, { seed: 'processing' });
    elevenlabs.endConversation(id);
    await send('post_call_transcription', id);
    await found(id, ({ record_state: state, analysis_state: part }) => state === 'settling' && part === 'pending');
    elevenlabs.finish(id);
    expect(await settled(id)).toMatchObject({ analysis_state: 'present', audio_state: 'present' });
  });

  it('keeps the audio of its webhook and requests no other, if the audio arrives first', async () => {
    const { conversation_id: id } = elevenlabs.addCompleteConversation({}, { seed: 'audio first' });
    await send('post_call_audio', id);
    const conversation = await settled(id);
    expect(conversation).toMatchObject({
      audio_state: 'present',
      transcript_state: 'present',
      analysis_state: 'present',
    });
    const [recording] = await colloquy.store.recordings(conversation.id);
    const sent = JSON.parse(elevenlabs.webhookBody('post_call_audio', id)) as { data: { full_audio: string } };
    expect(Number(recording?.bytes)).toBe(Buffer.from(sent.data.full_audio, 'base64').length);
    expect(colloquy.recordingFiles()).toContain(recording?.object_key);
    expect(audioRequests(id)).toBe(0);
  });

  it('is based on its webhooks alone under zero retention: the poorer record erases nothing', async () => {
    const { conversation_id: id } = elevenlabs.addCompleteConversation({}, { seed: 'zero', zeroRetention: true });
    await send('post_call_transcription', id);
    await send('post_call_audio', id);
    const conversation = await settled(id);
    expect(elevenlabs.requests.some(({ path }) => path === `/v1/convai/conversations/${id}`)).toBe(true);
    expect(conversation).toMatchObject({
      channel: 'phone',
      transcript_state: 'present',
      audio_state: 'present',
      analysis_state: 'present',
    });
    expect((await colloquy.store.turns(conversation.id)).length).toBeGreaterThan(1);
    expect((await colloquy.store.header(conversation)).customer_number).toMatch(/^\+/);
    expect((await colloquy.store.providerRecord(conversation.id))['transcript']).not.toEqual([]);
  });

  it('never connected, if its initiation failed', async () => {
    const { conversation_id: id } = elevenlabs.addCompleteConversation({}, { seed: 'busy', outcome: 'busy' });
    await send('call_initiation_failure', id);
    const conversation = await settled(id);
    expect(conversation).toMatchObject({
      status: 'failed',
      direction: 'outbound',
      end_category: 'busy',
      transcript_reason: 'never_connected',
      audio_reason: 'never_connected',
      analysis_reason: 'never_connected',
    });
    expect((await colloquy.store.header(conversation)).provider_reason).toBe('busy');
  });

  it('has a segment for each agent, both of them known, after a transfer between agents', async () => {
    const { conversation_id: id } = elevenlabs.addCompleteConversation({}, { seed: 'handover', handover: true });
    await send('post_call_transcription', id);
    const conversation = await settled(id);
    const { segments, transfers } = await colloquy.store.header(conversation);
    expect(transfers).toMatchObject([{ target: { type: 'agent' }, status: 'bridged', initiated_by: 'provider' }]);
    const agents = segments.map(({ agent_id: agent }) => agent);
    expect(new Set(agents).size).toBe(2);
    expect(agents[1]).toBe(transfers[0]?.target.value);
    expect(segments[0]?.end_time).toBe(segments[1]?.start_time);
    const speakers = (await colloquy.store.turns(conversation.id)).map(({ agent_id: agent }) => agent);
    expect(new Set(speakers.filter((agent) => agent !== null))).toEqual(new Set(agents));
    const { rows } = await colloquy.sql.query('select 1 from agents where provider_account_id = $1', [accountId]);
    expect(rows.length).toBeGreaterThanOrEqual(2);
  });

  it('waits for no audio if its record says that there is none', async () => {
    const { conversation_id: id } = elevenlabs.addCompleteConversation({}, { seed: 'chat', channel: 'chat' });
    await send('post_call_transcription', id);
    expect(await settled(id)).toMatchObject({
      channel: 'chat',
      audio_state: 'absent',
      audio_reason: 'not_recorded',
      transcript_state: 'present',
    });
    expect(audioRequests(id)).toBe(0);
  });
});

describe('audio inside a webhook', () => {
  it('waits, without counting against its fact, while the store of recordings is unavailable', async () => {
    const recordingsDir = join(colloquy.env['COLLOQUY_DATA_DIR'] ?? '', 'recordings');
    renameSync(recordingsDir, `${recordingsDir}.away`);
    writeFileSync(recordingsDir, 'no folder');
    const { conversation_id: id } = elevenlabs.addCompleteConversation({}, { seed: 'away', zeroRetention: true });
    await send('post_call_audio', id);
    const waiting = await eventually(async () => {
      const { rows } = await colloquy.sql.query<{ attempts: number; state: string }>(
        'select attempts, state from inbox where retry_at is not null',
      );
      return rows[0];
    });
    expect(waiting).toEqual({ attempts: 0, state: 'pending' });
    // Its neighbours do not wait for it.
    await send('post_call_transcription', id);
    await found(id, ({ transcript_state: state }) => state === 'present');
    rmSync(recordingsDir);
    renameSync(`${recordingsDir}.away`, recordingsDir);
    await found(id, ({ audio_state: state }) => state === 'present');
    expect((await colloquy.sql.query('select 1 from inbox')).rows).toEqual([]);
  });
});
