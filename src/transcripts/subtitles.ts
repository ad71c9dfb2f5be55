// Transcripts as subtitles: WebVTT (https://www.w3.org/TR/webvtt1/) and SubRip, which has no standard. Pure.
import type { Turn } from '../providers/provider-fact.js';
import { cuesOf, type Cue } from './cues.js';

/** WebVTT of the spoken turns after `afterIndex`. A cue's identifier is the index of its turn, a voice names who speaks. */
export function webVtt(turns: Turn[], afterIndex = -1): string {
  const blocks = cuesAfter(turns, afterIndex).map(({ turnIndex, part, start, end, speaker, text }) => {
    const id = part === 0 ? String(turnIndex) : `${turnIndex}.${part}`;
    return `${id}\n${clock(start, '.')} --> ${clock(end, '.')}\n<v ${speaker}>${escaped(text)}\n`;
  });
  return ['WEBVTT\n', ...blocks].join('\n');
}

/** SubRip of the spoken turns after `afterIndex`: numbered from 1, the first cue of a turn begins with who speaks. */
export function subRip(turns: Turn[], afterIndex = -1): string {
  const blocks = cuesAfter(turns, afterIndex).map(
    ({ part, start, end, speaker, text }, position) =>
      `${position + 1}\n${clock(start, ',')} --> ${clock(end, ',')}\n${part === 0 ? `${speaker}: ` : ''}${spaced(text)}\n`,
  );
  return blocks.join('\n');
}

/** Times are those of the whole transcript, so that what grows keeps them. */
const cuesAfter = (turns: Turn[], afterIndex: number): Cue[] =>
  cuesOf(turns).filter(({ turnIndex }) => turnIndex > afterIndex);

/** hh:mm:ss.mmm; hours as many digits as they need. */
function clock(ms: number, point: '.' | ','): string {
  const digits = (value: number, count = 2): string => String(Math.floor(value)).padStart(count, '0');
  const [hours, minutes, seconds] = [ms / 3_600_000, (ms / 60_000) % 60, (ms / 1000) % 60];
  return `${digits(hours)}:${digits(minutes)}:${digits(seconds)}${point}${digits(ms % 1000, 3)}`;
}

/** So that no text is a tag, an entity or an arrow. */
const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** SubRip knows no escape: a space takes arrows, tags and style overrides apart. */
const spaced = (text: string): string =>
  text
    .replaceAll('-->', '-- >')
    .replaceAll(/<(?=\S)/g, '< ')
    .replaceAll(/\{(?=\\)/g, '{ ');
