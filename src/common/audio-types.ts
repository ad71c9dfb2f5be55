// Media types of recordings: maps the names that providers use to ours, and recognises types by their first bytes.

/** A provider's name → the name that we store and send. */
const TYPES = new Map([
  ['audio/mpeg', 'audio/mpeg'],
  ['audio/mp3', 'audio/mpeg'],
  ['audio/wav', 'audio/wav'],
  ['audio/wave', 'audio/wav'],
  ['audio/x-wav', 'audio/wav'],
  ['audio/vnd.wave', 'audio/wav'],
  ['audio/ogg', 'audio/ogg'],
  ['audio/opus', 'audio/ogg'],
  ['audio/webm', 'audio/webm'],
  ['audio/mp4', 'audio/mp4'],
  ['audio/m4a', 'audio/mp4'],
  ['audio/x-m4a', 'audio/mp4'],
  ['audio/aac', 'audio/aac'],
  ['audio/flac', 'audio/flac'],
  ['audio/x-flac', 'audio/flac'],
]);

/** The types that object stores use if nobody declared one. */
const UNDECLARED = new Set(['', 'application/octet-stream', 'binary/octet-stream']);

const MAGIC: [offset: number, bytes: string, type: string][] = [
  [8, 'WAVE', 'audio/wav'],
  [0, 'ID3', 'audio/mpeg'],
  [0, '\xff\xfb', 'audio/mpeg'],
  [0, '\xff\xf3', 'audio/mpeg'],
  [0, '\xff\xf2', 'audio/mpeg'],
  [0, 'OggS', 'audio/ogg'],
  [0, 'fLaC', 'audio/flac'],
  [4, 'ftyp', 'audio/mp4'],
  [0, '\x1aE\xdf\xa3', 'audio/webm'],
];

const essenceOf = (header: string | null | undefined): string =>
  (header ?? '').split(';')[0]?.trim().toLowerCase() ?? '';

/** Our name for the type in a Content-Type header; null: not a supported type. */
export const audioTypeOf = (header: string | null | undefined): string | null => TYPES.get(essenceOf(header)) ?? null;

/** True if the header declares no type, so that the content decides. */
export const isUndeclared = (header: string | null | undefined): boolean => UNDECLARED.has(essenceOf(header));

/** Recognises a type by its first bytes (12 suffice); null: unknown. */
export function audioTypeOfBytes(start: Buffer): string | null {
  const text = start.subarray(0, 12).toString('latin1');
  return MAGIC.find(([offset, bytes]) => text.startsWith(bytes, offset))?.[2] ?? null;
}
