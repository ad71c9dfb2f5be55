// Strict readers of WebVTT and SubRip, written from the formats and not from what we write: any deviation throws.

export interface ParsedCue {
  id: string;
  start: number;
  end: number;
  speaker: string;
  text: string;
}

const TIMING = (point: string): RegExp =>
  new RegExp(
    `^(\\d{2,}):([0-5]\\d):([0-5]\\d)\\${point}(\\d{3}) --> (\\d{2,}):([0-5]\\d):([0-5]\\d)\\${point}(\\d{3})$`,
  );

function timesOf(line: string | undefined, point: string): { start: number; end: number } {
  const found = TIMING(point).exec(line ?? '');
  if (found === null) throw new Error(`no timing: ${line}`);
  const [, ...numbers] = found.map(Number);
  const ms = ([h = 0, m = 0, s = 0, rest = 0]: number[]): number => h * 3_600_000 + m * 60_000 + s * 1000 + rest;
  const [start, end] = [ms(numbers.slice(0, 4)), ms(numbers.slice(4))];
  if (end <= start) throw new Error(`no length: ${line}`);
  return { start, end };
}

const ENTITIES: Record<string, string> = { '&amp;': '&', '&lt;': '<', '&gt;': '>' };

/** https://www.w3.org/TR/webvtt1/#file-structure, with identifiers and one voice a cue. */
export function parseVtt(file: string): ParsedCue[] {
  const lines = file.split(/\r\n|\n|\r/);
  if (lines[0] !== 'WEBVTT' || lines[1] !== '') throw new Error('no signature');
  return blocksOf(lines.slice(2)).map(([id = '', timing, payload = '', ...more]) => {
    if (more.length > 0 || id.includes('-->') || payload.includes('-->')) throw new Error(`no cue: ${id}`);
    const voice = /^<v ([^<>&\n]+)>([^<>]*)$/.exec(payload);
    if (voice === null) throw new Error(`no voice: ${payload}`);
    const text = (voice[2] ?? '').replaceAll(/&[^;]*;?/g, (entity) => {
      const letter = ENTITIES[entity];
      if (letter === undefined) throw new Error(`no entity: ${entity}`);
      return letter;
    });
    return { id, ...timesOf(timing, '.'), speaker: voice[1] ?? '', text };
  });
}

/** Numbered from 1, one line of text that begins with the speaker. */
export function parseSrt(file: string): ParsedCue[] {
  return blocksOf(file.split(/\r\n|\n|\r/)).map(([id = '', timing, payload = '', ...more], position) => {
    if (id !== String(position + 1) || more.length > 0) throw new Error(`no number: ${id}`);
    const [speaker = '', ...words] = payload.split(': ');
    const text = words.join(': ');
    if (/-->|<\S|\{\\/.test(text)) throw new Error(`not plain: ${text}`);
    return { id, ...timesOf(timing, ','), speaker, text };
  });
}

function blocksOf(lines: string[]): string[][] {
  const blocks: string[][] = [[]];
  for (const line of lines) {
    if (line === '') blocks.push([]);
    else blocks.at(-1)?.push(line);
  }
  return blocks.filter((block) => block.length > 0);
}
