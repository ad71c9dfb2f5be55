// Endless traffic: the volume of recordings is bounded, and a restart does not reset the count.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startElevenLabsWorkspace } from '../../simulators/elevenlabs/workspace.js';
import type { CommonOptions, Workspace } from '../../simulators/opening.js';
import { startRetellWorkspace } from '../../simulators/retell/workspace.js';
import { startReceiver, type Received, type Receiver } from './receiver.js';

const MEGABYTE = 1_000_000;

let stateDir: string;
let receiver: Receiver;
let workspace: Workspace | undefined;
beforeEach(async () => {
  stateDir = mkdtempSync(join(tmpdir(), 'colloquy-bound-'));
  receiver = await startReceiver();
});
afterEach(async () => {
  await workspace?.close();
  workspace = undefined;
  await receiver.close();
  rmSync(stateDir, { recursive: true, force: true });
});

const PROVIDERS = [
  {
    name: 'Retell',
    limit: 10 * MEGABYTE,
    start: (common: CommonOptions, webhookUrl: string): Promise<Workspace> =>
      startRetellWorkspace({ port: 0, apiKey: 'key_1', webhookUrl, chats: 0, transcriptUpdates: false }, common),
    /** Bytes of the recordings that the API offers, found by downloading them. */
    audio: async (_: string, { document }: Received): Promise<number> => {
      const urls = [document['recording_url'], document['scrubbed_recording_url']].filter(
        (url) => typeof url === 'string',
      );
      const sizes = urls.map(async (url) => (await (await fetch(url)).arrayBuffer()).byteLength);
      return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
    },
    last: ['call_analyzed', 'chat_analyzed'],
    isText: ({ document }: Received) => 'chat_id' in document,
  },
  {
    name: 'ElevenLabs',
    limit: 2.5 * MEGABYTE,
    start: (common: CommonOptions, webhookUrl: string): Promise<Workspace> =>
      startElevenLabsWorkspace({ port: 0, apiKey: 'key_1', webhookUrl, retries: false }, common),
    audio: async (baseUrl: string, { id }: Received): Promise<number> => {
      const url = `${baseUrl}/v1/convai/conversations/${id}/audio`;
      const answer = await fetch(url, { headers: { 'xi-api-key': 'key_1' } });
      return answer.ok ? (await answer.arrayBuffer()).byteLength : 0;
    },
    last: ['post_call_transcription', 'call_initiation_failure'],
    isText: ({ document }: Received) => (document['metadata'] as { text_only?: boolean }).text_only === true,
  },
];

describe.each(PROVIDERS)('bounded traffic of $name', ({ limit, start: open, audio, last, isText }) => {
  const common = (more: Partial<CommonOptions> = {}): CommonOptions => ({
    seed: 'bound',
    stateDir,
    bulk: 0,
    bulkDays: 1,
    faults: [],
    history: 0,
    disorder: 0,
    perMinute: 12_000,
    speed: 100_000,
    maxRecordings: limit,
    quietPerMinute: 12_000,
    maxConversations: 300,
    ...more,
  });
  /** Replaces the previous workspace. */
  const start = async (options: CommonOptions, url: string): Promise<Workspace> => {
    await workspace?.close();
    receiver.received.length = 0;
    return (workspace = await open(options, url));
  };
  const settled = async (count: number): Promise<Received[]> => {
    const over = (): Received[] => receiver.received.filter(({ event }) => last.includes(event));
    await expect.poll(() => over().length, { timeout: 30_000, interval: 20 }).toBeGreaterThanOrEqual(count);
    return over();
  };

  it('creates recordings up to the bound, then only chats, also after a restart', async () => {
    const { baseUrl } = await start(common(), receiver.url);
    const told = await settled(120);
    const sizes = await Promise.all(told.map(async (each) => await audio(baseUrl, each)));
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    // Some are not announced yet; others were in progress when the bound was reached.
    expect(bytes).toBeGreaterThan(limit / 2);
    expect(bytes).toBeLessThan(2 * limit);
    expect(told.slice(-20).every(isText)).toBe(true);

    // From now on, conversations come at the rate of traffic without recordings.
    await start(common({ perMinute: 0.01 }), receiver.url);
    expect((await settled(20)).slice(-15).every(isText)).toBe(true);
  });

  it('starts over for another receiver, which has no recordings yet', async () => {
    await start(common({ maxRecordings: 1 }), receiver.url);
    expect((await settled(60)).slice(-10).every(isText)).toBe(true);

    await start(common(), `${receiver.url}?other`);
    expect((await settled(30)).some((each) => !isText(each))).toBe(true);
  });
});
