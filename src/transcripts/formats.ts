// Chooses the format of a transcript from a request. Pure.
import { AppError } from '../common/errors.js';

export const FORMATS = ['json', 'text', 'srt', 'vtt'] as const;
export type Format = (typeof FORMATS)[number];

export const MEDIA_TYPES = {
  json: 'application/json',
  text: 'text/plain',
  srt: 'application/x-subrip',
  vtt: 'text/vtt',
} as const satisfies Record<Format, string>;

const BY_TYPE = new Map<string, Format>([
  ...FORMATS.map((format) => [MEDIA_TYPES[format], format] as const),
  ['application/*', 'json'],
  ['*/*', 'json'],
  ['text/*', 'text'],
]);

/** The best media type of `Accept` that we offer, by weight (RFC 9110 12.5.1). Throws `not_acceptable`. */
export function formatOf(accept: string | undefined): Format {
  if (accept === undefined || accept.trim() === '') return 'json';
  const [best] = accept
    .split(',')
    .map(rangeOf)
    .filter(({ format, weight }) => format !== undefined && weight > 0)
    .sort((a, b) => b.weight - a.weight);
  if (best?.format !== undefined) return best.format;
  const types = Object.values(MEDIA_TYPES).join(', ');
  throw new AppError('not_acceptable', `a transcript is available as ${types}`);
}

function rangeOf(range: string): { format: Format | undefined; weight: number } {
  const [type = '', ...parameters] = range.split(';').map((text) => text.trim().toLowerCase());
  const weight = Number(parameters.find((text) => text.startsWith('q='))?.slice(2) ?? 1);
  return { format: BY_TYPE.get(type), weight };
}
