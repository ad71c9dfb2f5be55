// Reads a WAV file like a player.

/** Format and loudness of a 16-bit PCM WAV. Throws if it is not one. */
export function readWav(wav: Buffer): { channels: number; sampleRate: number; durationMs: number; rms: number } {
  if (wav.toString('ascii', 0, 4) !== 'RIFF' || wav.toString('ascii', 8, 12) !== 'WAVE') throw new Error('not a WAV');
  const channels = wav.readUInt16LE(22);
  const sampleRate = wav.readUInt32LE(24);
  const samples = wav.readUInt32LE(40) / 2;
  let sum = 0;
  for (let at = 0; at < samples; at += 1) sum += wav.readInt16LE(44 + 2 * at) ** 2;
  return { channels, sampleRate, durationMs: (samples / channels / sampleRate) * 1000, rms: Math.sqrt(sum / samples) };
}
