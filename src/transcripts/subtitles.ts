// Transcripts as subtitles: WebVTT (https://www.w3.org/TR/webvtt1/) and SubRip, which has no standard. Pure.
import type { Turn } from '../providers/provider-fact.js';
import { cuesOf, type Cue } from './cues.js';

/** WebVTT of the spoken turns after `afterIndex`. A cue's identifier is the index of its turn; a voice tag names the speaker. */
export function webVtt(turns: Turn[], afterIndex = -1): string {
  const blocks = cuesAfter(turns, afterIndex).map(({ turnIndex, part, start, end, speaker, text }) => {
    const id = part === 0 ? String(turnIndex) : `${turnIndex}.${part}`;
    return `${id}\n${clock(start, '.')} --> ${clock(end, '.')}\n<v ${speaker}>${escaped(text)}\n`;
  });
  return ['WEBVTT\n', ...blocks].join('\n');
}

/** SubRip of the spoken turns after `afterIndex`. Cues are numbered from 1; the first cue of a turn begins with the speaker. */
export function subRip(turns: Turn[], afterIndex = -1): string {
  const blocks = cuesAfter(turns, afterIndex).map(
    ({ part, start, end, speaker, text }, position) =>
      `${position + 1}\n${clock(start, ',')} --> ${clock(end, ',')}\n${part === 0 ? `${speaker}: ` : ''}${spaced(text)}\n`,
  );
  return blocks.join('\n');
}

/** Times are computed from the whole transcript, so that they stay the same while it grows. */
const cuesAfter = (turns: Turn[], afterIndex: number): Cue[] =>
  cuesOf(turns).filter(({ turnIndex }) => turnIndex > afterIndex);

/** hh:mm:ss.mmm; hours have at least two digits. */
function clock(ms: number, point: '.' | ','): string {
  const digits = (value: number, count = 2): string => String(Math.floor(value)).padStart(count, '0');
  const [hours, minutes, seconds] = [ms / 3_600_000, (ms / 60_000) % 60, (ms / 1000) % 60];
  return `${digits(hours)}:${digits(minutes)}:${digits(seconds)}${point}${digits(ms % 1000, 3)}`;
}

/** Escapes text so that it cannot be a tag, an entity or an arrow. */
const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** SubRip has no escape: a space breaks up arrows, tags and style overrides. */
const spaced = (text: string): string =>
  text
    .replaceAll('-->', '-- >')
    .replaceAll(/<(?=\S)/g, '< ')
    .replaceAll(/\{(?=\\)/g, '{ ');
