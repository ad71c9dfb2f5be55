// MP3 recordings without stored files or an encoder: frames of speech-like sound are written directly in the frequency
// domain of MPEG-1 Layer III, once per voice, and then copied into place.
// ISO/IEC 11172-3: every frame is self-contained (main_data_begin 0), all values are -1, 0 or 1 and in the `count1`
// region; scale factors shape the formants.
import { BitWriter } from './bits.js';
import { Random } from './random.js';
import type { SpokenTurn } from './audio.js';

/** Mono, 32 kHz, constant 32 kbit/s: 144 bytes and 36 ms per frame. */
export const MP3_FRAME_BYTES = 144;
export const MP3_FRAME_MS = 36;

const HEADER = [0xff, 0xfb, 0x18, 0xc4];
const SIDE_INFO_BITS = 136;
const LINE_HZ = 32_000 / 2 / 576;
const GRANULE_SECONDS = 576 / 32_000;
/** Upper edges of the first 21 scale factor bands of long blocks at 32 kHz, in lines. */
const BANDS = [4, 8, 12, 16, 20, 24, 30, 36, 44, 54, 66, 82, 102, 126, 156, 194, 240, 296, 364, 448, 550];
const SPEECH_LINES = 160;
const VOICES = 6;
const SYLLABLES = 20;
const FORMANTS = [
  [730, 1090, 2440],
  [270, 2290, 3010],
  [530, 1840, 2480],
  [570, 840, 2410],
  [300, 870, 2240],
  [440, 1020, 2240],
] as const;

/**
 * One granule: the non-zero lines with their signs, the loudness, and the attenuation of each band in steps of 3 dB.
 */
interface Granule {
  lines: Int8Array;
  gain: number;
  scale: number[];
}

function scaleFactorBits(granule: Granule): BitWriter {
  const bits = new BitWriter();
  granule.scale.forEach((step, band) => bits.write(step, band < 11 ? 4 : 3));
  return bits;
}

/**
 * Table B of the standard: four values form one inverted 4-bit code, followed by a sign bit for each non-zero value.
 */
function dataBits(granule: Granule): BitWriter {
  const bits = scaleFactorBits(granule);
  for (let at = 0; at < granule.lines.length; at += 4) {
    const quad = granule.lines.subarray(at, at + 4);
    bits.write(
      quad.reduce((code, value) => code * 2 + (value === 0 ? 1 : 0), 0),
      4,
    );
    for (const value of quad) if (value !== 0) bits.write(value < 0 ? 1 : 0, 1);
  }
  return bits;
}

function sideInfo(granules: readonly { granule: Granule; data: BitWriter }[]): BitWriter {
  const bits = new BitWriter();
  bits.write(0, 9 + 5 + 4);
  for (const { granule, data } of granules) {
    bits.write(data.length, 12);
    bits.write(0, 9);
    bits.write(granule.gain, 8);
    bits.write(15, 4);
    bits.write(0, 1 + 15 + 4 + 3);
    bits.write(0b001, 3);
  }
  return bits;
}

function frame(pair: readonly [Granule, Granule]): Buffer {
  const granules = pair.map((granule) => ({ granule, data: dataBits(granule) }));
  const info = sideInfo(granules);
  if (info.length !== SIDE_INFO_BITS) throw new RangeError('side information has a wrong size');
  const main = new BitWriter();
  for (const { data } of granules) main.append(data);
  const bytes = Buffer.concat([Buffer.from(HEADER), info.bytes(), main.bytes()]);
  if (bytes.length > MP3_FRAME_BYTES) throw new RangeError('a frame is too full');
  return Buffer.concat([bytes], MP3_FRAME_BYTES);
}

/** The attenuation of each band below the loudest, in steps of 3 dB, for these formants (Hz). */
function envelope(formants: readonly number[]): number[] {
  return BANDS.map((edge, band) => {
    const hz = ((edge + (BANDS[band - 1] ?? 0)) / 2) * LINE_HZ;
    const decibels = formants.map((formant, index) => 7 * index + 5 * (Math.abs(hz - formant) / (90 + 45 * index)));
    return Math.round(Math.min(...decibels, 45) / 3);
  }).map((steps, band) => Math.min(steps, band < 11 ? 15 : 7));
}

/** A vowel: the harmonics of a pitch, each with a continuous phase across granules. */
function voiced(pitchHz: number, seconds: number, formants: readonly number[], gain: number): Granule {
  const lines = new Int8Array(SPEECH_LINES);
  for (let hz = pitchHz; hz < (SPEECH_LINES - 1) * LINE_HZ; hz += pitchHz) {
    lines[Math.round(hz / LINE_HZ)] = Math.cos(2 * Math.PI * hz * seconds) >= 0 ? 1 : -1;
  }
  return { lines, gain, scale: envelope(formants) };
}

/** Noise: high and loud for a consonant, low and faint for room tone. */
function noise(random: Random, fromLine: number, gain: number): Granule {
  const lines = new Int8Array(SPEECH_LINES);
  for (let line = fromLine; line < SPEECH_LINES; line += 1)
    if (random.chance(0.45)) lines[line] = random.chance(0.5) ? 1 : -1;
  return { lines, gain, scale: BANDS.map(() => 0) };
}

function syllable(random: Random, pitchHz: number): Buffer {
  const formants = random.pick(FORMANTS).map((hz) => hz * random.between(0.94, 1.08));
  const count = 2 * random.integer(3, 6);
  const consonants = random.integer(0, 2);
  const glide = random.between(-0.15, 0.1);
  const granules = Array.from({ length: count }, (_, index) => {
    const progress = index / count;
    const gain = 196 - Math.round(14 * Math.abs(2 * progress - 0.8) ** 2);
    if (index < consonants) return noise(random, 70, 178);
    return voiced(pitchHz * (1 + glide * progress), index * GRANULE_SECONDS, formants, gain);
  });
  return framesOf(granules);
}

function framesOf(granules: readonly Granule[]): Buffer {
  const frames: Buffer[] = [];
  for (let at = 0; at + 1 < granules.length; at += 2) {
    const [first, second] = [granules[at], granules[at + 1]];
    if (first && second) frames.push(frame([first, second]));
  }
  return Buffer.concat(frames);
}

const banks = new Map<number, Buffer[]>();
let room: Buffer | undefined;

function bankOf(voice: number): Buffer[] {
  const known = banks.get(voice);
  if (known) return known;
  const random = new Random(`mp3 voice ${voice}`);
  const pitchHz = [118, 205, 140, 228, 104, 180][voice] ?? 150;
  const bank = Array.from({ length: SYLLABLES }, () => syllable(random, pitchHz * random.between(0.92, 1.12)));
  banks.set(voice, bank);
  return bank;
}

/** Forty frames of room tone. */
function roomTone(): Buffer {
  const random = new Random('mp3 room');
  room ??= framesOf(Array.from({ length: 80 }, () => noise(random, 4, 150)));
  return room;
}

function speak(bytes: Buffer, turn: SpokenTurn, seed: string): void {
  const random = new Random(`${seed} ${turn.speaker} ${turn.startMs}`);
  const bank = bankOf(new Random(`${seed} ${turn.speaker}`).integer(0, VOICES - 1));
  const end = Math.min(bytes.length, Math.round(turn.endMs / MP3_FRAME_MS) * MP3_FRAME_BYTES);
  let at = Math.round(turn.startMs / MP3_FRAME_MS) * MP3_FRAME_BYTES;
  while (at < end) {
    const sound = random.pick(bank);
    sound.copy(bytes, at, 0, Math.min(sound.length, end - at));
    at += sound.length + MP3_FRAME_BYTES * (random.chance(0.3) ? random.integer(1, 3) : 0);
  }
}

const framesIn = (durationMs: number): number => Math.max(1, Math.ceil(durationMs / MP3_FRAME_MS));

/** Size in bytes of an MP3. */
export const mp3Bytes = (durationMs: number): number => framesIn(durationMs) * MP3_FRAME_BYTES;

/** A complete MP3 of `durationMs`, rounded up to full frames. The same recording always has the same bytes. */
export function speechMp3(recording: { seed: string; durationMs: number; turns: readonly SpokenTurn[] }): Buffer {
  const bytes = Buffer.alloc(mp3Bytes(recording.durationMs));
  const quiet = roomTone();
  for (let at = 0; at < bytes.length; at += quiet.length) quiet.copy(bytes, at);
  for (const turn of recording.turns) speak(bytes, turn, recording.seed);
  return bytes;
}
