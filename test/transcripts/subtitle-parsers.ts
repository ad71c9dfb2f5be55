// Parses our subtitles like players do: WebVTT with the W3C's validator, SubRip with the parser of `subtitle`. The code here
// adds only checks that these lack.
import { parseSync } from 'subtitle';
import webvtt, { type Cue, type TreeNode } from 'webvtt-parser';
import entities from 'webvtt-parser/html-entities.json' with { type: 'json' };

export interface ParsedCue {
  id: string;
  start: number;
  end: number;
  speaker: string;
  text: string;
}

/** With all entities of the specification instead of the few default ones. */
const validator = new webvtt.WebVTTParser(entities);

/** WebVTT with identifiers and one voice per cue. Throws at anything that the validator reports. */
export function parseVtt(file: string): ParsedCue[] {
  const { cues, errors } = validator.parse(file);
  if (errors.length > 0) throw new Error(errors.map(({ line, message }) => `line ${line}: ${message}`).join('\n'));
  return cues.map((cue) => ({ id: cue.id, start: ms(cue.startTime), end: ms(cue.endTime), ...voiceOf(cue) }));
}

const ms = (seconds: number): number => Math.round(seconds * 1000);

function voiceOf({ id, tree }: Cue): Pick<ParsedCue, 'speaker' | 'text'> {
  const [voice, ...more] = tree.children;
  if (voice?.type !== 'object' || voice.name !== 'v' || more.length > 0) throw new Error(`cue ${id}: not one voice`);
  return { speaker: voice.value, text: voice.children.map((child: TreeNode) => wordsOf(child, id)).join('') };
}

function wordsOf(node: TreeNode, id: string): string {
  if (node.type !== 'text') throw new Error(`cue ${id}: something else than text`);
  return node.value;
}

const SRT_TIMING = /^\d{2,}:[0-5]\d:[0-5]\d,\d{3} --> \d{2,}:[0-5]\d:[0-5]\d,\d{3}$/;

const SRT_SPEAKER = /^(Customer|Agent|Human agent): /;

/** `named`: the cue itself names the speaker; else it continues the previous one. */
export type SrtCue = ParsedCue & { named: boolean };

/** SubRip in its strict form: numbered from 1, each cue one line of plain text, the first cue of a turn with the speaker. */
export function parseSrt(file: string): SrtCue[] {
  const blocks = file === '' ? [] : file.trimEnd().split('\n\n');
  let speaker: string | undefined;
  const nodes = parseSync(file);
  if (nodes.length !== blocks.length) throw new Error(`${nodes.length} cues in ${blocks.length} blocks`);
  return nodes.map((node, position) => {
    const [id, timing = '', ...payload] = (blocks[position] ?? '').split('\n');
    if (node.type !== 'cue' || node.data.settings !== undefined) throw new Error(`no cue: ${position}`);
    if (id !== String(position + 1) || !SRT_TIMING.test(timing)) throw new Error(`no number or timing: ${timing}`);
    if (payload.length !== 1 || node.data.text !== payload[0]) throw new Error(`no single line: ${position}`);
    const name = SRT_SPEAKER.exec(node.data.text);
    speaker = name?.[1] ?? speaker;
    if (speaker === undefined) throw new Error(`nobody speaks: ${position}`);
    const text = node.data.text.slice(name?.[0].length ?? 0);
    if (/-->|<\S|\{\\/.test(text)) throw new Error(`not plain: ${text}`);
    if (node.data.end <= node.data.start) throw new Error(`no length: ${timing}`);
    return { id, start: node.data.start, end: node.data.end, speaker, text, named: name !== null };
  });
}
