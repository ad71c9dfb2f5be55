// Recordings without stored files: speech-like sound, generated from a seed and the times of the turns.
// Syllables (a glottal pulse through three formants, after a short burst of noise) are generated once per voice and then
// copied into place, so that minutes of audio cost milliseconds.
import { Random } from './random.js';

/** Samples per second: telephone quality. */
export const SAMPLE_RATE = 8000;
const HEADER_BYTES = 44;
const VOICES = 6;
const SYLLABLES = 24;
const FORMANTS = [
  [730, 1090, 2440],
  [270, 2290, 3010],
  [530, 1840, 2480],
  [570, 840, 2410],
  [300, 870, 2240],
  [440, 1020, 2240],
] as const;

/** Somebody speaks from `startMs` to `endMs` (milliseconds of audio time). */
export interface SpokenTurn {
  speaker: string;
  startMs: number;
  endMs: number;
}

/** What to generate. With `channels` 2 the agent is on the left channel and everybody else on the right. */
export interface Recording {
  seed: string;
  durationMs: number;
  turns: readonly SpokenTurn[];
  channels: 1 | 2;
}

const banks = new Map<number, Int16Array[]>();

/** A resonance at `hz` as a two-pole filter with memory. */
function resonator(hz: number, bandwidthHz: number): (input: number) => number {
  const radius = Math.exp((-Math.PI * bandwidthHz) / SAMPLE_RATE);
  const a = 2 * radius * Math.cos((2 * Math.PI * hz) / SAMPLE_RATE);
  let last = 0;
  let beforeLast = 0;
  return (input) => {
    const output = (1 - radius) * input + a * last - radius * radius * beforeLast;
    beforeLast = last;
    last = output;
    return output;
  };
}

function syllable(random: Random, pitchHz: number): Int16Array {
  const samples = new Float64Array(random.integer(1000, 1900));
  const filters = random.pick(FORMANTS).map((hz, index) => resonator(hz * random.between(0.94, 1.08), 70 + 40 * index));
  const glide = random.between(-0.15, 0.1);
  const burst = random.integer(80, 360);
  let phase = 0;
  let peak = 1e-9;
  for (let at = 0; at < samples.length; at += 1) {
    const progress = at / samples.length;
    phase += (pitchHz * (1 + glide * progress)) / SAMPLE_RATE;
    const pulse = (1 - (phase % 1)) ** 3 - 0.25;
    const source = at < burst ? random.between(-0.5, 0.5) : pulse;
    const shaped = filters.reduce((sum, filter, index) => sum + filter(source) / (index + 1), 0);
    samples[at] = shaped * Math.sin(Math.PI * Math.min(1, progress * 1.05)) ** 0.6;
    peak = Math.max(peak, Math.abs(samples[at] ?? 0));
  }
  const loudness = random.between(6000, 10_500) / peak;
  return Int16Array.from(samples, (sample) => Math.round((sample || 0) * loudness));
}

function bankOf(voice: number): Int16Array[] {
  const known = banks.get(voice);
  if (known) return known;
  const random = new Random(`voice ${voice}`);
  const pitchHz = [118, 205, 140, 228, 100, 180][voice] ?? 150;
  const bank = Array.from({ length: SYLLABLES }, () => syllable(random, pitchHz * random.between(0.92, 1.12)));
  banks.set(voice, bank);
  return bank;
}

function lineNoise(samples: Int16Array, seed: string): void {
  const random = new Random(`${seed} line`);
  const second = Int16Array.from({ length: SAMPLE_RATE }, () => random.integer(-40, 40));
  for (let at = 0; at < samples.length; at += second.length) {
    samples.set(second.subarray(0, Math.min(second.length, samples.length - at)), at);
  }
}

function speak(samples: Int16Array, turn: SpokenTurn, seed: string): void {
  const random = new Random(`${seed} ${turn.speaker} ${turn.startMs}`);
  const bank = bankOf(new Random(`${seed} ${turn.speaker}`).integer(0, VOICES - 1));
  const end = Math.min(samples.length, Math.round((turn.endMs * SAMPLE_RATE) / 1000));
  let at = Math.max(0, Math.round((turn.startMs * SAMPLE_RATE) / 1000));
  while (at < end) {
    const sound = random.pick(bank);
    samples.set(sound.subarray(0, end - at), at);
    at += sound.length + (random.chance(0.3) ? random.integer(300, 900) : random.integer(0, 160));
  }
}

function track(recording: Recording, turns: readonly SpokenTurn[]): Int16Array {
  const samples = new Int16Array(samplesIn(recording.durationMs));
  lineNoise(samples, recording.seed);
  for (const turn of turns) speak(samples, turn, recording.seed);
  return samples;
}

function interleave(left: Int16Array, right: Int16Array): Int16Array {
  const both = new Int16Array(left.length * 2);
  for (let at = 0; at < left.length; at += 1) {
    both[2 * at] = left[at] ?? 0;
    both[2 * at + 1] = right[at] ?? 0;
  }
  return both;
}

function header(dataBytes: number, channels: number): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES);
  bytes.write('RIFF', 0, 'ascii');
  bytes.writeUInt32LE(36 + dataBytes, 4);
  bytes.write('WAVEfmt ', 8, 'ascii');
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(1, 20);
  bytes.writeUInt16LE(channels, 22);
  bytes.writeUInt32LE(SAMPLE_RATE, 24);
  bytes.writeUInt32LE(SAMPLE_RATE * channels * 2, 28);
  bytes.writeUInt16LE(channels * 2, 32);
  bytes.writeUInt16LE(16, 34);
  bytes.write('data', 36, 'ascii');
  bytes.writeUInt32LE(dataBytes, 40);
  return bytes;
}

const samplesIn = (durationMs: number): number => Math.round((durationMs * SAMPLE_RATE) / 1000);

/** Size in bytes of a WAV file with one channel. */
export const wavBytes = (durationMs: number): number => HEADER_BYTES + 2 * samplesIn(durationMs);

/** A complete WAV file: 8 kHz, 16-bit PCM, exactly `durationMs` long. The same recording always has the same bytes. */
export function speechWav(recording: Recording): Buffer {
  const isAgent = (turn: SpokenTurn) => turn.speaker === 'agent';
  const samples =
    recording.channels === 1
      ? track(recording, recording.turns)
      : interleave(
          track(recording, recording.turns.filter(isAgent)),
          track(
            recording,
            recording.turns.filter((turn) => !isAgent(turn)),
          ),
        );
  const data = Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength);
  return Buffer.concat([header(data.length, recording.channels), data]);
}
