import { describe, expect, it } from 'vitest';
import { SAMPLE_RATE, speechWav, type Recording } from './audio.js';

const recording: Recording = {
  seed: 'call_1',
  durationMs: 10_000,
  turns: [
    { speaker: 'agent', startMs: 500, endMs: 3000 },
    { speaker: 'user', startMs: 4000, endMs: 8000 },
  ],
  channels: 1,
};

/** Root mean square of one channel between two times in milliseconds. */
function loudness(wav: Buffer, fromMs: number, toMs: number, channels = 1, channel = 0): number {
  let sum = 0;
  const from = (fromMs * SAMPLE_RATE) / 1000;
  const to = (toMs * SAMPLE_RATE) / 1000;
  for (let at = from; at < to; at += 1) sum += wav.readInt16LE(44 + 2 * (at * channels + channel)) ** 2;
  return Math.sqrt(sum / (to - from));
}

describe('speechWav', () => {
  it('is a WAV file of the requested duration', () => {
    const wav = speechWav(recording);
    expect(wav.toString('ascii', 0, 4)).toBe('RIFF');
    expect(wav.toString('ascii', 8, 16)).toBe('WAVEfmt ');
    expect(wav.readUInt32LE(4)).toBe(wav.length - 8);
    expect(wav.readUInt32LE(40) / wav.readUInt32LE(28)).toBe(10);
  });

  it('is loud during speech and quiet otherwise', () => {
    const wav = speechWav(recording);
    expect(loudness(wav, 600, 2900)).toBeGreaterThan(800);
    expect(loudness(wav, 4100, 7900)).toBeGreaterThan(800);
    expect(loudness(wav, 8100, 9900)).toBeLessThan(60);
    expect(loudness(wav, 8100, 9900)).toBeGreaterThan(0);
  });

  it('puts the agent on the left and others on the right channel', () => {
    const wav = speechWav({ ...recording, channels: 2 });
    expect(wav.readUInt16LE(22)).toBe(2);
    expect(loudness(wav, 600, 2900, 2, 0)).toBeGreaterThan(800);
    expect(loudness(wav, 600, 2900, 2, 1)).toBeLessThan(60);
    expect(loudness(wav, 4100, 7900, 2, 1)).toBeGreaterThan(800);
  });

  it('has the same bytes for the same seed and different bytes for another', () => {
    expect(speechWav(recording).equals(speechWav(recording))).toBe(true);
    expect(speechWav(recording).equals(speechWav({ ...recording, seed: 'call_2' }))).toBe(false);
  });

  it('is fast enough for a long call', () => {
    const began = performance.now();
    expect(speechWav({ ...recording, durationMs: 360_000 }).length).toBe(44 + 360 * SAMPLE_RATE * 2);
    expect(performance.now() - began).toBeLessThan(3000);
  });
});
