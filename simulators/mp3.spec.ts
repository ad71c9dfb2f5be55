import { describe, expect, it } from 'vitest';
import { BitWriter } from './bits.js';
import { MP3_FRAME_BYTES, MP3_FRAME_MS, speechMp3 } from './mp3.js';

const turns = [
  { speaker: 'agent', startMs: 500, endMs: 3000 },
  { speaker: 'user', startMs: 4000, endMs: 8000 },
];
const recording = { seed: 'conv_1', durationMs: 10_000, turns };

/** The loudness of the first granule of each frame: `global_gain` of ISO/IEC 11172-3. */
function gains(mp3: Buffer, fromMs: number, toMs: number): number[] {
  const found: number[] = [];
  for (let frame = Math.ceil(fromMs / MP3_FRAME_MS); frame < Math.floor(toMs / MP3_FRAME_MS); frame += 1) {
    const at = frame * MP3_FRAME_BYTES + 4;
    const bits = mp3.readUIntBE(at + 4, 4);
    found.push(Math.floor(bits / 2 ** 17) & 0xff);
  }
  return found;
}
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

describe('speechMp3', () => {
  it('has the requested length, in whole frames that begin with their header', () => {
    const mp3 = speechMp3(recording);
    expect(mp3.length).toBe(Math.ceil(10_000 / MP3_FRAME_MS) * MP3_FRAME_BYTES);
    for (let at = 0; at < mp3.length; at += MP3_FRAME_BYTES) expect(mp3.readUInt32BE(at)).toBe(0xff_fb_18_c4);
  });

  it('is loud during speech and quiet otherwise', () => {
    const mp3 = speechMp3(recording);
    expect(mean(gains(mp3, 600, 2900))).toBeGreaterThan(175);
    expect(mean(gains(mp3, 4100, 7900))).toBeGreaterThan(175);
    expect(mean(gains(mp3, 8100, 9900))).toBe(150);
  });

  it('has the same bytes for the same seed and different bytes for another', () => {
    expect(speechMp3(recording).equals(speechMp3(recording))).toBe(true);
    expect(speechMp3(recording).equals(speechMp3({ ...recording, seed: 'conv_2' }))).toBe(false);
  });
});

describe('BitWriter', () => {
  it('puts the most significant bit first and pads the last byte', () => {
    const bits = new BitWriter();
    bits.write(0b101, 3);
    bits.write(0x7f, 7);
    expect([...bits.bytes()]).toEqual([0b1011_1111, 0b1100_0000]);
  });
});
