// Schemas of ids and times in requests and responses.
import { z } from 'zod';
import { AppError } from '../common/errors.js';
import { publicId, uuidOf, type IdKind } from '../common/ids.js';

const exampleOf = (kind: IdKind): string => publicId(kind, '0192f5a0-4d3c-7a51-9c8e-1f2a3b4c5d6e');
const prefixOf = (kind: IdKind): string => exampleOf(kind).replace(/_.*$/, '_');

/** In responses: the public id as text. */
export const publicIdText = (kind: IdKind) =>
  z.string().meta({ description: `An id that begins with ${prefixOf(kind)}`, examples: [exampleOf(kind)] });

/** In requests: a public id, parsed to its uuid. A malformed one causes `invalid_id`. */
export const idInput = (kind: IdKind) =>
  publicIdText(kind).transform((value, context) => {
    try {
      return uuidOf(kind, value);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      const message = `must be an id that begins with ${prefixOf(kind)}`;
      context.issues.push({ code: 'custom', message, input: value, params: { problem: 'invalid_id' } });
      return z.NEVER;
    }
  });

/** In responses: RFC 3339 UTC with milliseconds. */
export const timeText = z.iso.datetime({ precision: 3 });

/** In requests: RFC 3339 with any offset, parsed to a Date. */
export const timeInput = z.iso.datetime({ offset: true }).transform((value) => new Date(value));
