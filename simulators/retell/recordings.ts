// URLs and content of a call's recordings. No file is stored: the bytes are generated from the call document.
import { createHmac } from 'node:crypto';
import { speechWav, wavBytes } from '../audio.js';
import { RECORDING_FIELDS, type RetellCall } from './call.js';
import type { Fields } from '../records.js';

const SIGNED_FOR_MS = 24 * 3_600_000;
const VARIANTS = {
  recording_url: '',
  recording_multi_channel_url: '_multichannel',
  scrubbed_recording_url: '_scrubbed',
  scrubbed_recording_multi_channel_url: '_scrubbed_multichannel',
} as const;
const FILE = /^(.+?)(_scrubbed)?(_multichannel)?\.wav$/;

/** A recording, as requested by its file name. */
export interface RecordingFile {
  callId: string;
  isMultiChannel: boolean;
}

/** The recording links of a finished call; with `isScrubbed` those of the redacted audio too. */
export function recordingUrls(callId: string, baseUrl: string, isScrubbed: boolean): Fields {
  const fields = RECORDING_FIELDS.filter((field) => isScrubbed || !field.startsWith('scrubbed'));
  return Object.fromEntries(
    fields.map((field) => [field, `${baseUrl}/recordings/${encodeURIComponent(callId)}${VARIANTS[field]}.wav`]),
  );
}

/** Reads `<call_id>[_scrubbed][_multichannel].wav`; undefined for anything else. */
export function parseRecordingFile(name: string): RecordingFile | undefined {
  const match = FILE.exec(name);
  return match?.[1] === undefined ? undefined : { callId: match[1], isMultiChannel: match[3] !== undefined };
}

const signature = (path: string, expiresMs: number, secret: string): string =>
  createHmac('sha256', secret).update(`${path} ${expiresMs}`).digest('hex');

/** The link with a new signature, valid for 24 hours, as a call with `opt_in_signed_url` gets it on every read. */
export function signedUrl(url: string, nowMs: number, secret: string): string {
  const signed = new URL(url);
  const expires = nowMs + SIGNED_FOR_MS;
  signed.searchParams.set('expires', String(expires));
  signed.searchParams.set('signature', signature(signed.pathname, expires, secret));
  return signed.href;
}

/** Whether a signed link has a valid signature and has not expired. */
export function isSignedLinkGood(url: URL, nowMs: number, secret: string): boolean {
  const expires = Number(url.searchParams.get('expires'));
  return url.searchParams.get('signature') === signature(url.pathname, expires, secret) && nowMs < expires;
}

/** Size in bytes of a call's recordings: the mixed one and the redacted one. Multi-channel versions do not count. */
export const recordingBytes = (call: Readonly<RetellCall>): number =>
  [call.recording_url, call.scrubbed_recording_url].filter((url) => url !== undefined).length *
  wavBytes(durationOf(call));

const durationOf = (call: Readonly<RetellCall>): number =>
  call.duration_ms ?? (call.end_timestamp ?? 0) - (call.start_timestamp ?? 0);

/** The audio of a call: as long as `duration_ms`, with voices where its transcript has words. */
export function recordingOf(call: RetellCall, isMultiChannel: boolean): Buffer {
  const turns = (call.transcript_object ?? []).flatMap((item) => {
    if (!('words' in item)) return [];
    const [first] = item.words;
    const last = item.words.at(-1);
    return first && last ? [{ speaker: item.role, startMs: first.start * 1000, endMs: last.end * 1000 }] : [];
  });
  return speechWav({ seed: call.call_id, durationMs: durationOf(call), turns, channels: isMultiChannel ? 2 : 1 });
}
