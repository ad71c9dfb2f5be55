// Reads the frame headers of an MP3, like a player does before decoding.

const BITRATES = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
const RATES = [44_100, 48_000, 32_000];

/** Number of frames and length of an MPEG-1 Layer III stream. Throws if a frame does not begin where the last one ended. */
export function readMp3(mp3: Buffer): { frames: number; durationMs: number } {
  let at = 0;
  let frames = 0;
  let durationMs = 0;
  while (at < mp3.length) {
    if (mp3.readUInt16BE(at) !== 0xff_fb) throw new Error(`no frame at byte ${at}`);
    const third = mp3.readUInt8(at + 2);
    const bitrate = BITRATES[third >> 4] ?? 0;
    const rate = RATES[(third >> 2) & 3] ?? 0;
    if (bitrate === 0 || rate === 0) throw new Error(`no MPEG-1 Layer III at byte ${at}`);
    at += Math.floor((144_000 * bitrate) / rate) + ((third >> 1) & 1);
    frames += 1;
    durationMs += 1_152_000 / rate;
  }
  if (at !== mp3.length) throw new Error('the last frame is cut off');
  return { frames, durationMs };
}
